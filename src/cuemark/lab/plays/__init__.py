"""Plays tried on seeded schedules of faults: playback, rights, licensing, steering and billing
themselves, in two processes, on PostgreSQL."""
