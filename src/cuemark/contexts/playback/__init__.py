"""Playback: one call that answers with all that a device needs to play."""
