#!/usr/bin/env bash
# A reversal of a credit in a bank's MT940 statement, read with mt-940.
#
# Most people expect: the amount of a line has the sign of what it does to the account, as it has for C and D. RC, the reversal
#   of a credit, takes money off it, and the opening balance and all lines make the closing balance.
# What happens: only D gets a minus. RC is +100.00 and so is RD, so a payment that was taken back looks like a second payment, and
#   the lines no longer add up to the balances of the same file, which the library reads right.
# Why it matters: a returned direct debit or a failed transfer is booked so. A shop that sums what it read counts the same money
#   twice where it has nothing at all. Take the sign from `status` yourself, and check each statement with its balances.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check mt-940==5.1.1
"$dir/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version
import mt940

STATEMENT = """\
:20:STARTUMS
:25:UA213052990000026001234567890
:28C:1/1
:60F:C261001EUR0,00
:61:2610011001C100,00NTRFINVOICE 7//BANK1
:61:2610021002RC100,00NTRFINVOICE 7//BANK2
:62F:C261002EUR0,00
-
"""
print("mt-940", version("mt-940"))
print("100 EUR came, and the payment was reversed the next day: the account ends with nothing.")
found = mt940.parse(STATEMENT)
amounts = [one.data["amount"].amount for one in found]
for one in found:
    print(f"  {one.data['status']:>2}: {one.data['amount'].amount:+}")
opening, closing = (found.data[f"final_{name}_balance"].amount.amount for name in ("opening", "closing"))
print(f"  balances of the file: {opening} and {closing}; its lines come to {sum(amounts):+}")
same = [str(amount) for amount in amounts] == ["100.00", "100.00"] and opening == closing == 0
sys.exit(0 if same else f"the behaviour has changed: {amounts}")
PY
