"""Postgres: state, outbox, read models, history, migrations."""
