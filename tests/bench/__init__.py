"""Benchmarks: each drives a running stack and gives its figures as JSON, with machine and settings."""
