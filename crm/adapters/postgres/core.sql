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
COMMENT ON TABLE core.checkpoint IS 'How far each consumer is; it moves in the transaction that holds the effects. position: of the last journal event. failed: why this consumer is halted.';

GRANT USAGE ON SCHEMA read, core TO potik_reader;
GRANT SELECT ON core.checkpoint TO potik_reader;
DO $$ BEGIN
  IF to_regrole('potik_analyst') IS NOT NULL THEN GRANT USAGE ON SCHEMA read TO potik_analyst; END IF;
END $$;

CREATE TABLE IF NOT EXISTS core.building (consumer text PRIMARY KEY, since timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE core.building IS 'Projection versions that a rebuild makes: the project role leaves them alone until the rebuild hands them over.';
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'core.building'::regclass AND attname = 'since') THEN
    ALTER TABLE core.building ADD COLUMN since timestamptz NOT NULL DEFAULT now();
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS core.built (name text PRIMARY KEY, consumer text NOT NULL, since timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE core.built IS 'Projection versions that are complete and handed over: the project role that moves one switches its view to it.';

CREATE TABLE IF NOT EXISTS core.shown (name text PRIMARY KEY, consumer text NOT NULL);
COMMENT ON TABLE core.shown IS 'Whose table the view of a projection shows, since it was changed first: how fresh an answer is, that consumer says.';

CREATE TABLE IF NOT EXISTS core.served (
  name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
  before_schema text NOT NULL, before_table text NOT NULL, held boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE core.served IS 'What the view of a projection showed before its last change. held: it was changed back by hand, so no start changes it again.';

CREATE TABLE IF NOT EXISTS core.gold (consumer text PRIMARY KEY, way int NOT NULL, shapes int[] NOT NULL, handles text[] NOT NULL, columns jsonb NOT NULL);
COMMENT ON TABLE core.gold IS 'What the projection versions that fill this database make of the golden records, as digests by column: one that gives other rows has changed without a new version.';
DROP TABLE IF EXISTS core.golden; -- the same as whole rows, of the last steps alone

CREATE TABLE IF NOT EXISTS core.rebuild (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, names text[] NOT NULL,
  began_at timestamptz NOT NULL DEFAULT now(), ended_at timestamptz, step text NOT NULL DEFAULT '',
  events bigint NOT NULL DEFAULT 0, rows json NOT NULL DEFAULT '{}', reports json NOT NULL DEFAULT '{}', problem text NOT NULL DEFAULT ''
);
COMMENT ON TABLE core.rebuild IS 'The last rebuilds. rows: by table; reports: by projection, how the new rows compare with those that were read. For people only: no event has it.';

CREATE TABLE IF NOT EXISTS core.fact_seen (fact_id uuid PRIMARY KEY, digest uuid);
COMMENT ON TABLE core.fact_seen IS 'Facts and commands that were decided, for deduplication. digest: of the content of a fact that the open API received under an id; null where none is known.';
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'core.fact_seen'::regclass AND attname = 'digest') THEN
    ALTER TABLE core.fact_seen ADD COLUMN digest uuid;
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS core.token_used (token uuid PRIMARY KEY, used_at timestamptz NOT NULL);
COMMENT ON TABLE core.token_used IS 'When the API saw a token last, to half a minute. For people only: no event has it, and a rebuild starts it from scratch.';

CREATE TABLE IF NOT EXISTS core.state (
  workspace uuid, key text, value json NOT NULL,
  PRIMARY KEY (workspace, key)
) WITH (fillfactor = 70);
COMMENT ON TABLE core.state IS 'What decisions remember: a fold of the journal. Key: kind/key.';

-- Of the state, readers see this alone: `as of` of a deal that was removed begins with it.
CREATE OR REPLACE FUNCTION core.card_of_removed_deal(workspace uuid, deal text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
  SELECT value ->> 'contact_id' FROM core.state AS s WHERE s.workspace = $1 AND s.key = 'RemovedDeal/' || $2
$$;
REVOKE ALL ON FUNCTION core.card_of_removed_deal(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION core.card_of_removed_deal(uuid, text) TO potik_reader;

CREATE TABLE IF NOT EXISTS core.journal_head (partition int PRIMARY KEY, next bigint NOT NULL DEFAULT 0) WITH (fillfactor = 10);
COMMENT ON TABLE core.journal_head IS 'The next position of each journal partition. Locked last and in partition order: positions are dense and in commit order.';

-- Until 0.2 the outbox had a row a transaction and partition: what still waits there moves over.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('core.outbox') AND attname = 'first') THEN
    ALTER TABLE core.outbox RENAME TO outbox_before;
    ALTER INDEX core.outbox_pkey RENAME TO outbox_before_pkey;
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS core.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partitions int[] NOT NULL, firsts bigint[] NOT NULL, counts int[] NOT NULL, records bytea[] NOT NULL
);
-- A row lives for milliseconds: it is not worth compressing. ALTER TABLE waits for all writers, so only when it must.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'core.outbox'::regclass AND attname = 'records' AND attstorage <> 'e') THEN
    ALTER TABLE core.outbox ALTER COLUMN records SET STORAGE EXTERNAL;
  END IF;
END $$;
COMMENT ON TABLE core.outbox IS 'Events on their way to Kafka: one row a transaction. Of each journal partition: the first position, how many events, and a MessagePack list of [stream, id, source, trace, value].';
DO $$ BEGIN
  IF to_regclass('core.outbox_before') IS NOT NULL THEN
    INSERT INTO core.outbox (partitions, firsts, counts, records)
      SELECT ARRAY[partition], ARRAY[first], ARRAY[count], ARRAY[records] FROM core.outbox_before ORDER BY partition, first;
    DROP TABLE core.outbox_before;
  END IF;
END $$;

CREATE TABLE IF NOT EXISTS core.compared (server text PRIMARY KEY);
COMMENT ON TABLE core.compared IS 'The start of this server since which the database is known to hold all that the journal in Kafka holds.';

CREATE OR REPLACE FUNCTION core.this_server() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT pg_postmaster_start_time() || '/' || oid FROM pg_database WHERE datname = current_database()
$$;
CREATE TABLE IF NOT EXISTS core.folds (version int NOT NULL);
COMMENT ON TABLE core.folds IS 'Which version of the folds made core.state: crm.state.shape. Without a row: the first.';

CREATE OR REPLACE FUNCTION core.must_be_compared(folds int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
  IF coalesce((SELECT version FROM core.folds), 1) <> folds THEN
    RAISE EXCEPTION 'the state in this database is a fold of another version'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was written.',
      HINT = 'Start decide and relay of the newest release: they fold it again from Kafka. Older ones cannot go on here.';
  END IF;
  IF NOT EXISTS (SELECT FROM core.compared WHERE server = core.this_server()) THEN
    RAISE EXCEPTION 'this database was not compared with the journal in Kafka since its server started'
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was written.',
      HINT = 'It may be an old backup: decide and relay compare it when they start, and fold in what it lacks.';
  END IF;
  RETURN true;
END $$;
-- What releases call that know only the first version.
CREATE OR REPLACE FUNCTION core.must_be_compared() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT core.must_be_compared(1)
$$;
