"""An archive of the log: Avro files of Kafka records, and the manifest that says nothing is missing between them."""
