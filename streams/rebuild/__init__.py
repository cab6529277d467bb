"""Bulk replay: a Source gives slabs of raw records, the Decoder makes them events by the column, a Fold makes rows of
them, a Sink writes these.

The seam, each part in a file of its own:

- `source.Source`: an asynchronous iterator of `Slab(partition, first, values, next_offset)`: consecutive events of one
  journal partition, still framed Avro in a binary polars Series. Positions are dense: repeats are dropped and gaps
  raise. `kafka_source.KafkaSource` reads partitions of the journal's topic; another source only has to keep that law.
- `decoder.Decoder(kinds, names)`: slab -> `Decoded(kind, places, columns, events)` for each kind of event that some
  fold handles; all else is passed over undecoded. `names` are the fields that are read, `reads.names_read` finds them.
- `folding.Fold(projection)`: takes what was decoded in order of position, keeps the rows that it has made.
- `sink.Sink`: takes rows in lots; `postgres_sink.PostgresSink` writes them by binary COPY.

`worker.py` puts them together in a process; `building.py` runs several, each with partitions of its own.
"""
