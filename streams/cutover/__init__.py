"""How a view changes to a new version of its projection."""
