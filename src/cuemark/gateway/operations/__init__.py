"""What the people who run an install see in a browser: plain HTML, written here on the server."""
