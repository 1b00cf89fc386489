"""The decisions of playback, pure: how long a session lasts, and what its manifests say."""
