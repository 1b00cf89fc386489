"""The decisions of steering, pure: who serves a session, and what the token for it says."""
