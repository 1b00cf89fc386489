"""``make bench``: what Cuemark costs and holds, measured on this machine beside its anchors."""
