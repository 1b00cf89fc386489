"""Encoding: from a master file to an immutable published version."""
