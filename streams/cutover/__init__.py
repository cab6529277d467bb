"""Cutover: a view switches to the table of a new version of its projection."""
