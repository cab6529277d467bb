"""Reads past deliveries again: with a fixed connector, or for a custom field that was defined later."""
