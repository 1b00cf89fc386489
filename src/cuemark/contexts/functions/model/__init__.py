"""The decisions of the functions."""
