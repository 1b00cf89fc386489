"""Search: what it decides."""
