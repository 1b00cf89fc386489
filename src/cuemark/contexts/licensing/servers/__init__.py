"""The servers of others that licensing speaks to: those of DRM systems, and of keys."""
