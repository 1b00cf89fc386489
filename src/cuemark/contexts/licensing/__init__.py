"""Licensing: content keys, and the licences that let a playback session use them."""
