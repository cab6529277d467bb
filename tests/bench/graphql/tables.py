"""The tables of the other servers: plain tables with single-column keys and without workspaces.

They hold the same rows as the read models. A rival needs no predicate, no policy and no token: that is in its favour.
"""

from typing import Any

import psycopg

COPIES = {
    "contact": ("contact_id", "name, source, phones, emails, touched_at"),
    "deal": ("deal_id", "contact_id, number, title, amount_minor, currency, stage, owner, touched_at"),
    "payment": ("payment_id", "deal_id, amount_minor, currency, status, touched_at"),
}
KEYS = """
ALTER TABLE rival.deal ADD FOREIGN KEY (contact_id) REFERENCES rival.contact;
ALTER TABLE rival.payment ADD FOREIGN KEY (deal_id) REFERENCES rival.deal;
CREATE INDEX ON rival.contact (touched_at, contact_id);
CREATE INDEX ON rival.deal (touched_at, deal_id);
CREATE INDEX ON rival.deal (contact_id, touched_at, deal_id);
CREATE INDEX ON rival.deal (stage, touched_at, deal_id);
CREATE INDEX ON rival.payment (deal_id, touched_at, payment_id);
"""


def copy(conn: psycopg.Connection[Any]) -> None:
    """Copies the read models into the schema `rival`."""
    conn.execute("CREATE SCHEMA rival")
    for table, (key, columns) in COPIES.items():
        conn.execute(f"CREATE TABLE rival.{table} AS SELECT {key}, {columns} FROM read.{table}".encode())
        required = ", ".join(f"ALTER {name.strip()} SET NOT NULL" for name in columns.split(","))
        conn.execute(f"ALTER TABLE rival.{table} ADD PRIMARY KEY ({key}), {required}".encode())
    conn.execute(KEYS.encode())
