#!/usr/bin/env bash
# Finding phones in free text that contains a date and an hour.
#
# Most people expect: PhoneNumberMatcher, which has guards against dates and times, skips "09.11.2026 14:00".
# What happens: its guards know dates that begin with the year. In a Ukrainian text the day, month, year and hour are ten
#   digits, and where they begin like an operator's or a city's code they are a VALID phone: 09.11.2026 14 is +380 91 120 2614.
#   At any hour this happens on 27 days of a year. STRICT_GROUPING lets none of them through.
# Why it matters: a comment "call back on 09.11.2026 14:00" or an order's date gives the client a second phone, a stranger's, and
#   contacts who wrote the same time are joined by it. It does not show in tests written on other days.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43
"$dir/venv/bin/python" - <<'PY'
import sys
from datetime import datetime, timedelta
import phonenumbers as pn

def found(text, leniency=pn.Leniency.VALID):
    return [pn.format_number(m.number, pn.PhoneNumberFormat.E164) for m in pn.PhoneNumberMatcher(text, "UA", leniency)]

print("phonenumbers", pn.__version__)
print("A dotted date followed by an hour is found as a valid Ukrainian phone, by the default leniency.")
seen = {}
for moment in ("09.11.2026 14:00", "05.12.2026 15:30", "2026-11-09 14:00", "29.11.2026 14:00"):
    seen[moment] = found(f"Передзвоніть, будь ласка, {moment}")
    print(f"  {moment}: {seen[moment] or 'no phone'}")
days = [datetime(2026, 1, 1, 15) + timedelta(n) for n in range(365)]
notes = [f"Передзвоніть {day:%d.%m.%Y %H:%M}" for day in days]
usual = sum(bool(found(note)) for note in notes)
strict = sum(bool(found(note, pn.Leniency.STRICT_GROUPING)) for note in notes)
print(f"  days of 2026 that are phones at 15:00: {usual}, with STRICT_GROUPING: {strict}")
expected = [["+380911202614"], ["+380512202615"], [], []]
same = (list(seen.values()), usual, strict) == (expected, 27, 0)
sys.exit(0 if same else f"the behaviour has changed: {seen} {usual} {strict}")
PY
