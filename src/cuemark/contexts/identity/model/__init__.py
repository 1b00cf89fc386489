"""What is acceptable, what is said, and what is decided; nothing is read or written here."""
