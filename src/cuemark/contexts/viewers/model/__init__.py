"""The decisions of the viewers."""
