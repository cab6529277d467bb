"""Compares rebuilt rows with those that are read."""
