"""Benchmarks: each prints its figures as JSON, with the machine and the settings."""
