"""Fill: which files are brought to which appliances, when, and from where."""
