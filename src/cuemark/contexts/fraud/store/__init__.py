"""All the SQL of fraud, in a schema of its own."""
