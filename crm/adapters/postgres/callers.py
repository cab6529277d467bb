"""Reads in one statement who may be calling by a number, what the call is, and who works here."""

import msgspec

from crm.adapters.postgres.open_deal import OPEN_DEAL
from crm.screen_pop.caller import Found
from crm.screen_pop.rings import MOST as MOST_CALLS
from crm.screen_pop.under_way import RingingRow

MOST = 20  # contacts that may have one number, and open deals of one contact
MOMENT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
# Parameters: workspace, call (its id), phone (E.164; empty: as the row of the call has it). `phones <> '{}'` is the
# condition of the partial index. A number that is doubted names the cards with which it was seen too. Each OFFSET 0
# keeps a step separate: all contacts with the number, all deals of a contact by its id, then the latest of these.
# Without it the planner, which does not know how rare a number is, reads contacts in order until some have it.
LOOK_UP = f"""WITH RECURSIVE seen AS MATERIALIZED (
  SELECT c.phone, c.direction, c.phase, c.known, c.employee, cardinality(c.legs) AS legs,
    (extract(epoch FROM c.touched_at) * 1000000)::bigint AS touched_at
  FROM read.call AS c WHERE c.workspace = %(workspace)s AND c.call_id = %(call)s),
number AS MATERIALIZED (SELECT coalesce(nullif(%(phone)s::text, ''), (SELECT phone FROM seen), '') AS phone),
held AS MATERIALIZED (SELECT h.contact_id, h.doubted ->> ('phone:' || (SELECT phone FROM number)) AS doubts
  FROM (SELECT c.contact_id, c.doubted, c.touched_at FROM read.contact AS c WHERE c.workspace = %(workspace)s
    AND c.phones @> ARRAY[(SELECT phone FROM number)] AND c.phones <> '{{}}' OFFSET 0) AS h
  ORDER BY h.touched_at DESC, h.contact_id LIMIT {MOST}),
named AS (SELECT contact_id AS id FROM held
  UNION SELECT other::uuid FROM held, jsonb_array_elements_text(doubts::jsonb) AS other WHERE other <> ''),
up AS (SELECT c.contact_id AS id, c.merged_into FROM read.contact AS c
    WHERE c.workspace = %(workspace)s AND c.contact_id = ANY (ARRAY(SELECT id FROM named))
  UNION SELECT c.contact_id, c.merged_into FROM read.contact AS c JOIN up ON c.contact_id = up.merged_into
    WHERE c.workspace = %(workspace)s),
stands AS MATERIALIZED (SELECT id FROM up WHERE merged_into IS NULL ORDER BY id LIMIT {MOST}),
same AS MATERIALIZED (SELECT s.id, ARRAY(WITH RECURSIVE down AS (SELECT s.id AS id
  UNION SELECT c.contact_id FROM read.contact AS c JOIN down ON c.merged_into = down.id
  WHERE c.workspace = %(workspace)s) SELECT id FROM down) AS ids FROM stands AS s)
SELECT json_build_object(
  'owners', coalesce((SELECT json_agg(json_build_object('key', o.key, 'name', o.name, 'email', o.email,
    'phone', o.phone, 'extension', o.extension)) FROM read.owner AS o
    WHERE o.workspace = %(workspace)s AND o.active), '[]'),
  'call', (SELECT row_to_json(seen) FROM seen),
  'doubted', EXISTS (SELECT FROM held WHERE doubts IS NOT NULL),
  'contacts', coalesce((SELECT json_agg(json_build_object('contact_id', c.contact_id, 'name', c.name,
    'deals', coalesce((SELECT json_agg(d ORDER BY d.touched_at DESC, d.deal_id DESC) FROM (
      SELECT * FROM (SELECT t.deal_id, t.number, t.title, t.stage, t.amount_minor, t.currency, t.owner, t.touched_at
        FROM read.deal AS t WHERE t.workspace = %(workspace)s AND t.contact_id = ANY (s.ids)
        AND {OPEN_DEAL.format(t="t")} OFFSET 0) AS own
      ORDER BY own.touched_at DESC, own.deal_id DESC LIMIT {MOST}) AS d), '[]'),
    'conversation', (SELECT json_build_object('conversation_id', v.conversation_id, 'channel', v.channel,
      'title', v.title, 'last_text', v.last_text, 'at', {MOMENT.format("v.touched_at")}, 'unanswered', v.unanswered)
      FROM (SELECT t.* FROM read.conversation AS t WHERE t.workspace = %(workspace)s
        AND t.contact_id = ANY (s.ids) OFFSET 0) AS v ORDER BY v.touched_at DESC, v.conversation_id LIMIT 1)
    ) ORDER BY c.touched_at DESC, c.contact_id)
    FROM same AS s JOIN read.contact AS c ON c.workspace = %(workspace)s AND c.contact_id = s.id), '[]')
)::text AS found"""

# Parameter: workspace. The calls that ring now and come in, the oldest first, as many as a screen shows.
RINGING = f"""SELECT json_build_object('call_id', c.call_id, 'contact_id', c.contact_id, 'call', c.call,
  'phone', c.phone, 'phone_text', c.phone_text, 'line', c.line, 'known', c.known, 'employee', c.employee,
  'legs', c.legs, 'touched_at', (extract(epoch FROM c.touched_at) * 1000000)::bigint)::text AS found
FROM (SELECT * FROM read.call AS c WHERE c.workspace = %(workspace)s AND c.phase = 'ringing' AND c.direction = 'in'
  AND c.touched_at > now() - interval '10 minutes' ORDER BY c.touched_at DESC LIMIT {MOST_CALLS}) AS c
ORDER BY c.touched_at, c.call_id"""


def read_found(text: str) -> Found:
    """Returns what the statement found, from its one value."""
    return msgspec.json.decode(text, type=Found)


def read_ringing(text: str) -> RingingRow:
    """Returns one row of the calls that ring."""
    return msgspec.json.decode(text, type=RingingRow)
