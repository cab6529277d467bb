"""History: rows as of a point in time, and why a field has its value."""
