"""The pure parts of rights."""
