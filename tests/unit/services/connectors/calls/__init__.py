"""Connectors of telephone calls: what their vendors published, and what their records mean."""
