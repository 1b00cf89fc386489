"""The contexts: each owns its data and is reached through its contract only."""
