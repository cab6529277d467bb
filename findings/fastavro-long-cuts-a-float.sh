#!/usr/bin/env bash
# A float given to an Avro long.
#
# Most people expect: a long takes integers only, so 1998.9999999999998 is an error; in the strict mode at the latest.
# What happens: fastavro silently cuts off the fraction, strict or not, for a Decimal too. The same float in
#   ["null", "long"] is refused, as Apache's package refuses it everywhere, so tests on an optional field pass.
# Why it matters: money is kept in the smallest unit, and 19.99 * 100 is 1998.9999999999998 in floats. The log gets 1998:
#   a kopeck is gone, on the required fields only. Round before writing; validator=True refuses it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check fastavro==1.13.1
"$dir/venv/bin/python" - <<'PY'
import io, sys
from decimal import Decimal
from importlib.metadata import version
import fastavro
from fastavro.validation import ValidationError

def payment(kind):
    fields = [{"name": "amount_minor", "type": kind}]
    return fastavro.parse_schema({"type": "record", "name": "Payment", "fields": fields})

def trip(kind, amount, **options):
    out = io.BytesIO()
    try:
        fastavro.writer(out, payment(kind), [{"amount_minor": amount}], **options)
    except (ValueError, ValidationError):
        return "refused"
    out.seek(0)
    return next(fastavro.reader(out))["amount_minor"]

price = 19.99 * 100
print("fastavro", version("fastavro"))
print("A long cuts the fraction of what it is given, in the strict mode too; the same type inside a union refuses it.")
seen = {
    "long": trip("long", price),
    "long, strict": trip("long", price, strict=True),
    "long, a Decimal": trip("long", Decimal("1998.99")),
    'union of "null" and "long"': trip(["null", "long"], price),
    "long, validator": trip("long", price, validator=True),
}
for way, result in seen.items():
    print(f"  {price!r} as {way}: {result}")
expected = [1998, 1998, 1998, "refused", "refused"]
sys.exit(0 if list(seen.values()) == expected else f"the behaviour has changed: {seen}")
PY
