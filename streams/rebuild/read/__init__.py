"""Where a rebuild reads events: Kafka, an archive, or both."""
