"""Rows as of a moment, and why a field has its value."""
