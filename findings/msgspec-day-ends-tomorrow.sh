#!/usr/bin/env bash
# The last tick of a day, 23:59:59.9999999 with seven digits, as .NET and SQL Server (datetime2) write the end of a period.
#
# Most people expect: the seventh digit is cut, as datetime.fromisoformat cuts it, and the time stays on its day.
# What happens: msgspec rounds it half up, and the carry runs on: the last tick of November is 1 December, the end of a
#   year is the next year. A bare time wraps to 00:00:00, the beginning of the day. And .NET's latest time,
#   9999-12-31T23:59:59.9999999Z ("no end"), is refused as not being RFC 3339, although it is.
# Why it matters: a payment or a subscription "valid to the end of the month" falls into the next month's report and price, and
#   two services in one system, one with msgspec, one with the standard library, disagree about the day of one message.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
"$dir/venv/bin/python" - <<'PY'
import sys
from datetime import datetime, time
import msgspec

def read(text, kind=datetime):
    try:
        return msgspec.convert(text, kind).isoformat()
    except msgspec.ValidationError as refusal:
        return f"refused: {refusal}"

print("msgspec", msgspec.__version__, "and Python", sys.version.split()[0])
print("A seventh digit of a second is rounded, not cut, and carries into the next second, day, month and year.")
seen = {}
for text in ("2026-11-30T23:59:59.9999999+02:00", "2026-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"):
    seen[text] = read(text)
    print(f"  {text}: {seen[text]} (the standard library: {datetime.fromisoformat(text).isoformat()})")
seen["time"] = read("23:59:59.9999999", time)
print("  23:59:59.9999999 as a time:", seen["time"])
expected = ["2026-12-01T00:00:00+02:00", "2027-01-01T00:00:00+00:00", "refused: Invalid RFC3339 encoded datetime", "00:00:00"]
sys.exit(0 if list(seen.values()) == expected else f"the behaviour has changed: {seen}")
PY
