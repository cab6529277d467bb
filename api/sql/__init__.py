"""Reads: one SQL statement per operation, and the connections that execute it."""
