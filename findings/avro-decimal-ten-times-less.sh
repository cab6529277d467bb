#!/usr/bin/env bash
# Avro's decimal (bytes, scale 2) as Apache's own Python package writes it.
#
# Most people expect: Decimal("1250.5") under scale 2 is written as 125050 hundredths, as fastavro writes it, or refused.
# What happens: avro writes the digits as they are and ignores how many of them are decimals. 1250.5 is read as 125.05,
#   1250 as 12.50, 1E+3 as 0.01; by any reader, since the bytes themselves are wrong. Only a value with exactly two
#   decimals comes back. A value with three is refused, so the scale looks checked.
# Why it matters: a price of "1250" or "1250.5" from JSON, or a sum after normalize(), is ten, a hundred or a hundred thousand
#   times too small on the log, with no error on either side. Quantize to the scale before writing, or write with fastavro.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check avro==1.12.2 fastavro==1.13.1
"$dir/venv/bin/python" - <<'PY'
import io, json, sys
from decimal import Decimal
from importlib.metadata import version
import avro.io, avro.schema, fastavro

MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
SCHEMA = avro.schema.parse(json.dumps(MONEY))

def by_apache(value):
    out = io.BytesIO()
    avro.io.DatumWriter(SCHEMA).write(value, avro.io.BinaryEncoder(out))
    return out.getvalue()

def by_fastavro(value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, MONEY, value)
    return out.getvalue()

def read(data):
    return str(fastavro.schemaless_reader(io.BytesIO(data), MONEY))

print("avro", version("avro"), "and fastavro", version("fastavro"))
print("Apache's writer ignores the exponent of a decimal with fewer decimals than the scale, so money shrinks.")
seen = []
for text in ("1250.50", "1250.5", "1250", "1E+3"):
    value = Decimal(text)
    seen.append((text, read(by_apache(value)), read(by_fastavro(value))))
    print(f"  {text:>8} written by avro is read as {seen[-1][1]:>8}, written by fastavro as {seen[-1][2]:>8}")
expected = [
    ("1250.50", "1250.50", "1250.50"),
    ("1250.5", "125.05", "1250.50"),
    ("1250", "12.50", "1250.00"),
    ("1E+3", "0.01", "1000.00"),
]
sys.exit(0 if seen == expected else f"the behaviour has changed: {seen}")
PY
