"""Bulk rebuild: a Source yields chunks of raw records, a Decoder turns them into events column by column, a Fold folds
these into rows, and a Sink writes the rows.

The interfaces, each in its own file:

- `read.source.Source`: an asynchronous iterator of `Chunk(partition, first, values, next_offset)`: consecutive events
  of one journal partition, still framed Avro, in a binary polars Series. Positions are dense: repeats are dropped and a
  gap raises Broken. `KafkaSource` reads the journal's topic, `ArchiveSource` an archive, `MixedSource` both.
- `fold.decoder.Decoder(kinds, names)`: makes a `Decoded(kind, places, columns, events)` of a chunk for each kind of
  event that some fold handles, and skips the others undecoded. `names` are the fields to decode, as found by
  `fold.field_pruning.fields_read`.
- `fold.fold.Fold(projection)`: folds decoded events in the order of their positions and holds the rows.
- `write.sink.Sink`: takes rows in batches. `PostgresSink` writes them by binary COPY.

`worker.py` combines them in one process; `workers.py` runs several processes, each with its own partitions.
"""
