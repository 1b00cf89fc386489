"""The films, one module each: its shots, its score, its captions."""
