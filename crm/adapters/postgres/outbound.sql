-- What the role outbound needs. Run at each start: every statement says "if not exists".
CREATE SCHEMA IF NOT EXISTS outbound;
GRANT USAGE ON SCHEMA outbound TO potik_reader;

CREATE TABLE IF NOT EXISTS outbound.lease (partition int PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL, term bigint NOT NULL DEFAULT 0) WITH (fillfactor = 10);
COMMENT ON TABLE outbound.lease IS 'Which replica sends what was planned from a journal partition, and until when. It is renewed every other second. term: how often its owner changed.';

CREATE TABLE IF NOT EXISTS outbound.delivery (
  id uuid PRIMARY KEY, kind text NOT NULL, workspace uuid NOT NULL, target uuid NOT NULL, key uuid NOT NULL,
  stream uuid NOT NULL, partition int NOT NULL, position bigint NOT NULL, previous bigint, type text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'delivered', 'dead', 'discarded', 'uncertain')),
  woken boolean NOT NULL DEFAULT false, planned_at timestamptz NOT NULL DEFAULT now(), due_at timestamptz NOT NULL DEFAULT now(),
  attempts int NOT NULL DEFAULT 0, attempted_at timestamptz, status int NOT NULL DEFAULT 0, took_ms double precision NOT NULL DEFAULT 0,
  error text NOT NULL DEFAULT '', response text NOT NULL DEFAULT '', tries jsonb
) WITH (fillfactor = 70);
COMMENT ON TABLE outbound.delivery IS 'One row a delivery: an event and whom it goes to. The event itself is in core.history. key: deliveries of one go one after the other. previous: position of the delivery before it to this target in this partition; null after the cursor was set. woken: changed from outside, so the sender reads it again. tries: the attempts that failed.';
CREATE INDEX IF NOT EXISTS delivery_waiting ON outbound.delivery (partition, position) WHERE state IN ('waiting', 'sending');
CREATE INDEX IF NOT EXISTS delivery_woken ON outbound.delivery (partition) WHERE woken;
CREATE INDEX IF NOT EXISTS delivery_of_target ON outbound.delivery (target, planned_at);
CREATE INDEX IF NOT EXISTS delivery_old ON outbound.delivery USING brin (planned_at);
CREATE INDEX IF NOT EXISTS delivery_ended_badly ON outbound.delivery (target, planned_at) WHERE state IN ('dead', 'uncertain');

CREATE TABLE IF NOT EXISTS outbound.webhook (webhook_id uuid PRIMARY KEY, value jsonb NOT NULL, failing_since timestamptz);
COMMENT ON TABLE outbound.webhook IS 'What each webhook asks for: a fold of its events. failing_since: nothing has arrived there since.';

CREATE TABLE IF NOT EXISTS outbound.cursor (
  target uuid, partition int, live boolean NOT NULL, next bigint NOT NULL, previous bigint,
  PRIMARY KEY (target, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE outbound.cursor IS 'How far the journal was planned for each webhook. live: as far as the checkpoint of the role; else to before next, where -1 is not looked up yet. previous: position of the last delivery.';

CREATE TABLE IF NOT EXISTS outbound.version (number bigint NOT NULL);
INSERT INTO outbound.version SELECT 0 WHERE NOT EXISTS (SELECT FROM outbound.version);
COMMENT ON TABLE outbound.version IS 'Raised with every change of a webhook, and of a cursor by another than the plan of its own partition: replicas then read both again.';

CREATE TABLE IF NOT EXISTS outbound.reply (
  message uuid PRIMARY KEY, workspace uuid NOT NULL, connection uuid NOT NULL, conversation uuid NOT NULL, stream uuid NOT NULL,
  partition int NOT NULL, position bigint NOT NULL, type text NOT NULL, attempt int NOT NULL DEFAULT 1, since timestamptz NOT NULL,
  doubted boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
COMMENT ON TABLE outbound.reply IS 'One row a reply: its event in the journal, which attempt it is, and since when that waits. doubted: it was queued before this database was made, so nobody knows whether it was sent.';
CREATE INDEX IF NOT EXISTS reply_doubted ON outbound.reply (partition) WHERE doubted;
CREATE TABLE IF NOT EXISTS outbound.pace (key text PRIMARY KEY, free_at timestamptz NOT NULL) WITH (fillfactor = 20);
COMMENT ON TABLE outbound.pace IS 'When the next message may go out through a connection, or into a chat: the limits of vendors, over all replicas.';
CREATE TABLE IF NOT EXISTS outbound.made (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE outbound.made IS 'When this database was made. What was queued before is not sent by itself.';
INSERT INTO outbound.made DEFAULT VALUES ON CONFLICT DO NOTHING;
