#!/usr/bin/env bash
# A refund in a column of amounts, -250.00, read with price-parser.
#
# Most people expect: Decimal("-250.00"), or None: the package reads an amount out of any text and gives it as an exact Decimal.
# What happens: the minus is not read, as hyphen, as U+2212, before or behind the sum, or as an accountant's brackets. The amount is
#   250.00 each time, exact, with the right currency and without a mark.
# Why it matters: two payments of 250 and one refund of 250 are a sum of 750, where 250 came in. A price is never negative, an amount
#   is: read the sign before the text is given to a parser of prices.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check price-parser==0.5.1
"$dir/venv/bin/python" - <<'PY'
import sys
from decimal import Decimal
from importlib.metadata import version
from price_parser import Price

print("price-parser", version("price-parser"))
print("A minus is no part of the amount, however it is written.")
REFUNDS = ["-250.00 грн", "−250,00 грн", "250.00- грн", "(250.00) грн"]
got = [(price.amount, price.currency) for price in map(Price.fromstring, REFUNDS)]
for text, (amount, currency) in zip(REFUNDS, got):
    print(f"  {text:14} {amount} {currency}")
month = sum(Price.fromstring(text).amount for text in ["250.00", "250.00", "-250.00"])
print("  two payments and a refund of one of them:", month)
same = got == [(Decimal("250.00"), "грн")] * 4 and month == Decimal("750.00")
sys.exit(0 if same else f"the behaviour has changed: {got} {month}")
PY
