"""Copies to survive a disaster with: the log as Avro files and back into Kafka, and Postgres as a dump and back."""
