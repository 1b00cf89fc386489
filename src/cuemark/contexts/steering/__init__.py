"""Steering: which appliances can serve a version to a session, the best first."""
