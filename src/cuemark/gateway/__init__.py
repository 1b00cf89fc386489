"""The gateway: the public HTTP API and the member page. It translates and decides nothing."""
