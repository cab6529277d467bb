"""How rebuilt rows are compared with those that are read."""
