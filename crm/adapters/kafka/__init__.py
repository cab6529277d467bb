"""Kafka: producer, consumers, reads of ranges and of single records."""
