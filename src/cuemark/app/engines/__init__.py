"""The real servers that Cuemark brings: how each is prepared, started and asked for health."""
