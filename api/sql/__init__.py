"""Reads: one SQL statement an operation, and the connections that run it."""
