#!/usr/bin/env bash
# A Ukrainian mobile written +38 and nine digits: the zero of 067, 095, 098 was dropped, as people do who remember the prefix as "+38".
#
# Most people expect: a number one digit short is not valid; or, with the region UA given, is taken for Ukrainian.
# What happens: phonenumbers calls it a valid number of another country. +38 and 67 make 386, Slovenia; +38 and 95 make 389,
#   North Macedonia. Of a thousand numbers of 095 and of 098 EVERY one is valid there, of 067 and 063 nine in ten. The region
#   is ignored, since the text begins with a plus; is_valid_number, the region found and the formatting all agree.
# Why it matters: the checked, "normalised" number is stored, a call or an SMS goes abroad, and the same person's next call
#   from +380... finds no contact. Where clients are Ukrainian, doubt any +386 or +389 that could have lost a zero.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43
"$dir/venv/bin/python" - <<'PY'
import sys
import phonenumbers as pn

def judged(text):
    number = pn.parse(text, "UA")
    written = pn.format_number(number, pn.PhoneNumberFormat.INTERNATIONAL)
    return written, pn.is_valid_number(number), pn.region_code_for_number(number)

print("phonenumbers", pn.__version__)
print("Ukrainian mobiles without their zero are valid numbers of Slovenia and North Macedonia, though UA was given.")
whole = judged("+38 067 123 45 67")
cut = [judged("+38 67 123 45 67"), judged("+38 95 123 45 67")]
print("  +38 067 123 45 67 is", *whole)
print("  +38 67 123 45 67 is", *cut[0])
print("  +38 95 123 45 67 is", *cut[1])
share = {}
for code in ("67", "63", "95", "98"):
    numbers = [judged(f"+38{code}{k:07d}") for k in range(0, 10_000_000, 9973)]
    share[code] = sum(valid for _, valid, _ in numbers), len(numbers)
    print(f"  of {share[code][1]} numbers of 0{code} spread evenly, valid abroad once the zero is lost: {share[code][0]}")
same = (
    whole == ("+380 67 123 4567", True, "UA")
    and [row[1:] for row in cut] == [(True, "SI"), (True, "MK")]
    and share == {"67": (903, 1003), "63": (903, 1003), "95": (1003, 1003), "98": (1003, 1003)}
)
sys.exit(0 if same else f"the behaviour has changed: {whole} {cut} {share}")
PY
