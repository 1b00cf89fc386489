"""The data plane: the origin, and the appliance with its nginx, its agent and its store."""
