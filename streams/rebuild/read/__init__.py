"""Sources of raw records: Kafka, an archive, or both."""
