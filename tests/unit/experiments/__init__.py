"""The pure parts of experiments."""
