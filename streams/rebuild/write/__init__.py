"""Writes rows to new tables in Postgres."""
