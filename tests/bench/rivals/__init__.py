"""Other libraries that fold the same events, each a program of its own."""
