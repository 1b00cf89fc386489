"""What a profile has watched and where it stopped."""
