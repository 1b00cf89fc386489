"""Backups of an install, taken while it runs, and their restoring."""
