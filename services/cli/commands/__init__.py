"""One file a command, found by looking."""
