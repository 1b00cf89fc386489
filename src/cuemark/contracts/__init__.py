"""What the rooms say to one another: one file per context."""
