"""Synthetic customers: one generator of deliveries, facts, events and rows for chaos runs, benchmarks and tests."""
