"""Kafka -> Postgres -> Kafka: the roles decide, relay and project. Only runtime/worker.py imports Faust."""
