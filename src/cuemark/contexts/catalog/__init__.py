"""The titles that there are, and the version of each that plays now."""
