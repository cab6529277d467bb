#!/usr/bin/env bash
# "Call me back tomorrow at 10", "on 10 March at 15": an hour without minutes, as people write it, read with dateparser.
#
# Most people expect: ten o'clock tomorrow, 15:00 on 10 March, nine on Monday; or None, since it is not understood.
# What happens: the hour is left out and what remains is an answer without a mark. Tomorrow keeps the clock of the question (asked at
#   09:20, the answer is 09:20); "10 March at 15" is 10 March of the year 2115 at midnight; "monday at 9" is 2 September. In Ukrainian,
#   German and English; strict parsing changes it only for the last. With ":00" all of them are right, and French "10h" is.
# Why it matters: a call is promised for 10:00 and planned for the minute in which the form was sent, or for a day in ninety years, where
#   nobody looks. Take an hour out of the text first and give it back as HH:00, or refuse an answer whose hour is not in the text.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check dateparser==1.5.0
"$dir/venv/bin/python" - <<'PY'
import sys
from datetime import datetime
from importlib.metadata import version
import dateparser

SENT = datetime(2026, 3, 2, 9, 20)  # a Monday

def read(language, text, strict):
    settings = {"RELATIVE_BASE": SENT, "PREFER_DATES_FROM": "future", "STRICT_PARSING": strict}
    found = dateparser.parse(text, languages=[language], settings=settings)
    return found and f"{found:%Y-%m-%d %H:%M}"

CASES = [
    ("en", "tomorrow at 10", "2026-03-03 09:20", "2026-03-03 09:20"),
    ("uk", "завтра о 10", "2026-03-03 09:20", "2026-03-03 09:20"),
    ("de", "morgen um 10 Uhr", "2026-03-03 09:20", "2026-03-03 09:20"),
    ("en", "March 10 at 15", "2115-03-10 00:00", "2115-03-10 00:00"),
    ("uk", "10 березня о 15", "2115-03-10 00:00", "2115-03-10 00:00"),
    ("en", "monday at 9", "2026-09-02 00:00", None),
    ("en", "tomorrow at 10:00", "2026-03-03 10:00", "2026-03-03 10:00"),
    ("uk", "10 березня о 15:00", "2026-03-10 15:00", None),
    ("fr", "demain à 10h", "2026-03-03 10:00", "2026-03-03 10:00"),
]
print("dateparser", version("dateparser"), "at", SENT)
print("An hour without minutes is dropped, or becomes a year, and an answer comes all the same.")
got = [(language, text, read(language, text, False), read(language, text, True)) for language, text, *_ in CASES]
for language, text, loose, strict in got:
    print(f"  {language}  {text:20} {loose}   strict: {strict}")
sys.exit(0 if got == CASES else f"the behaviour has changed: {got}")
PY
