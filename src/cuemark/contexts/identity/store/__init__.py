"""All the SQL of identity."""
