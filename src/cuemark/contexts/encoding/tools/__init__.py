"""The media tools: command lines as pure functions, and the one place that runs them."""
