-- Run at each start: every statement says "if not exists".
CREATE TABLE IF NOT EXISTS core.history (
  workspace uuid, stream uuid, position bigint, event bytea NOT NULL,
  PRIMARY KEY (workspace, stream, position)
);
COMMENT ON TABLE core.history IS 'The journal once more, so that one stream is found at once: what asof and why fold. event: as it lies in Kafka, framed Avro. position: in the stream''s journal partition. A copy: emptied with its checkpoints (consumer history_v1), it is filled again.';
