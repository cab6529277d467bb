-- What decide and relay need. Run again at each start: every statement says "if not exists".
CREATE SCHEMA IF NOT EXISTS core;
CREATE SCHEMA IF NOT EXISTS read;

CREATE TABLE IF NOT EXISTS core.checkpoint (
  consumer text, topic text, partition int,
  next_offset bigint NOT NULL DEFAULT 0,
  position bigint NOT NULL DEFAULT -1,
  failed text,
  PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE core.checkpoint IS 'How far each consumer is; it moves in the transaction that holds the effects. position: of the last journal event. failed: why this consumer stands still.';

CREATE TABLE IF NOT EXISTS core.fact_seen (fact_id uuid PRIMARY KEY);
COMMENT ON TABLE core.fact_seen IS 'Facts and commands that were decided: told twice is told once.';

CREATE TABLE IF NOT EXISTS core.state (
  workspace uuid, key text, value json NOT NULL,
  PRIMARY KEY (workspace, key)
) WITH (fillfactor = 70);
COMMENT ON TABLE core.state IS 'What decisions remember: a fold of the journal. Key: kind/key.';

CREATE TABLE IF NOT EXISTS core.journal_head (partition int PRIMARY KEY, next bigint NOT NULL DEFAULT 0) WITH (fillfactor = 10);
COMMENT ON TABLE core.journal_head IS 'The next position of each journal partition. Locked last and in partition order: positions are dense and in commit order.';

CREATE TABLE IF NOT EXISTS core.outbox (
  partition int, first bigint, count int NOT NULL, records bytea NOT NULL,
  PRIMARY KEY (partition, first)
);
COMMENT ON TABLE core.outbox IS 'Events on their way to Kafka: one row a transaction and partition, a MessagePack list of [stream, id, source, trace, value].';
