"""What staff may be allowed to do at the gateway."""
