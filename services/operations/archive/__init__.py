"""Saves Kafka's topics as Avro files, verifies them, and loads them into an empty Kafka."""
