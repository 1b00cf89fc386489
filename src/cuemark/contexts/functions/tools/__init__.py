"""What acts for the functions: their folder, their boxes."""
