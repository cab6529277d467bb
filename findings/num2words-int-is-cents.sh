#!/usr/bin/env bash
# The sum in words on an invoice or an act, from num2words in Ukrainian or Polish.
#
# Most people expect: 1250, 1250.0 and Decimal("1250") are one sum and give one text.
# What happens: to="currency" takes an int for the SMALLEST unit and anything else for the whole one. 1250 is "twelve hryvnias,
#   fifty kopecks", 1250.0 and Decimal("1250") are "one thousand two hundred and fifty hryvnias". In Python the three are equal,
#   and a JSON price is an int or a float depending on its value: 1250 today, 1250.5 tomorrow.
# Why it matters: where the words and the figures of a document differ, the words tend to win, and here they say a hundredth. It
#   shows on round amounts only. Always pass a Decimal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check num2words==0.5.14
"$dir/venv/bin/python" - <<'PY'
import json, sys
from decimal import Decimal
from importlib.metadata import version
from num2words import num2words

def words(value, lang="uk", currency="UAH"):
    return num2words(value, lang=lang, to="currency", currency=currency)

print("num2words", version("num2words"))
print("An int is read as kopecks, an equal float or Decimal as hryvnias.")
prices = json.loads('[1250, 1250.0, 1250.5]') + [Decimal("1250")]
seen = [words(price) for price in prices]
for price, text in zip(prices, seen):
    print(f"  {price!r}: {text}")
polish = [words(200, "pl", "PLN"), words(Decimal(200), "pl", "PLN")]
print("  200 in Polish:", polish[0], "and as a Decimal:", polish[1])
same = (
    seen[0] == "дванадцять гривень, п'ятдесят копійок"
    and seen[1] == seen[3] == "одна тисяча двісті п'ятдесят гривень, нуль копійок"
    and seen[2] == "одна тисяча двісті п'ятдесят гривень, п'ятдесят копійок"
    and polish == ["dwa złote, zero groszy", "dwieście złotych, zero groszy"]
)
sys.exit(0 if same else f"the behaviour has changed: {seen} {polish}")
PY
