#!/usr/bin/env bash
# The text of a number in a JSON column of DuckDB, taken out with ->>.
#
# Most people expect: ->> gives the text that stands in the document, as in Postgres, so (j->>'sum')::DECIMAL(18, 2) is exact. The
#   column itself keeps the document as it was written.
# What happens: a number with a point goes through a double on the way to its text. 90071992547409.93 comes out as
#   90071992547409.94 and 1.10 as 1.1. An integer of any length comes out whole; so do from_json into a DECIMAL, and a number
#   that is a string in the document.
# Why it matters: the cast to DECIMAL that shall make a sum exact comes too late, and text that is compared or hashed differs.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
"$dir/venv/bin/python" - <<'PY'
import sys
import duckdb

DOCUMENT = '{"sum":90071992547409.93,"price":1.10,"whole":123456789012345678901234567890,"text":"90071992547409.93"}'
conn = duckdb.connect()
conn.execute("CREATE TABLE t (j JSON)")
conn.execute("INSERT INTO t VALUES (?)", [DOCUMENT])
(kept,) = conn.execute("SELECT j::VARCHAR FROM t").fetchone()
seen = conn.execute("SELECT (j->>'sum')::DECIMAL(18, 2)::VARCHAR, j->>'price', j->>'whole', j->>'text' FROM t").fetchone()
(exact,) = conn.execute("""SELECT from_json(j, '{"sum":"DECIMAL(18,2)"}').sum::VARCHAR FROM t""").fetchone()
print("duckdb", duckdb.__version__)
print("The column has", kept)
for what, got in zip(("(j->>'sum')::DECIMAL(18, 2)", "j->>'price'", "j->>'whole'", "j->>'text'"), seen):
    print(f"  {what}: {got}")
print(f"  from_json(j, ...).sum: {exact}")
expected = ("90071992547409.94", "1.1", "123456789012345678901234567890", "90071992547409.93")
sys.exit(0 if (kept, seen, exact) == (DOCUMENT, expected, "90071992547409.93") else f"the behaviour has changed: {seen}, {exact}")
PY
