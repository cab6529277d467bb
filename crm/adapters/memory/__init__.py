"""A log in memory, for tests and for trying things without a broker."""
