"""Experiments: which member is in which cell, and what that sets."""
