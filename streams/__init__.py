"""Kafka -> Postgres -> Kafka: decide, relay, project. Faust is imported in worker.py only."""
