"""The kernel's hands: Kafka, Postgres, memory, logs, health. Imported by entry files only."""
