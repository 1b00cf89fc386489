"""Composition: settings, who runs where, the supervisor, the command line."""
