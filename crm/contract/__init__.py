"""The Avro contract: generated classes, codecs, registry, evolution rules, golden records."""
