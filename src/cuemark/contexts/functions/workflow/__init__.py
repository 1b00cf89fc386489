"""What the process of the functions does: take events from the log, and try runs that are due."""
