#!/usr/bin/env bash
# A mail in Cyrillic whose part does not name its charset, read with imap-tools.
#
# Most people expect: text that cannot be decoded comes out garbled, with replacement characters or question marks, so
#   that somebody sees that something is wrong and the bytes can be read again.
# What happens: every letter is left out, without a mark. Digits, commas and blanks stay, so the text is a string that
#   looks like a short, odd message. The standard library's own reading of the same bytes keeps a mark for each letter.
# Why it matters: devices and old web sites still send windows-1251 without saying so. "Invoice 1450,50 hryvnias paid"
#   becomes " !  1450,50  ." in a CRM: what was said is gone, and no check for U+FFFD finds it. Look at the bytes first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check imap-tools==1.16.0
"$dir/venv/bin/python" - <<'PY'
import sys
from email import message_from_bytes, policy
from importlib.metadata import version
from imap_tools import MailMessage

TEXT = "Добрий день! Рахунок 1450,50 грн оплачено."

def mail(charset, named):
    kind = "text/plain; charset=" + charset if named else "text/plain"
    head = f"From: Olena <olena@example.com>\r\nTo: shop@example.com\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
    return (head + "Content-Transfer-Encoding: 8bit\r\n\r\n").encode() + TEXT.encode(charset)

print("imap-tools", version("imap-tools"))
print("Letters of a part without a charset are left out, where the standard library puts a mark for each.")
seen = {}
for charset, named in (("windows-1251", True), ("windows-1251", False), ("koi8-u", False), ("utf-8", False)):
    raw = mail(charset, named)
    text = MailMessage.from_bytes(raw).text
    marks = message_from_bytes(raw, policy=policy.default).get_content().count("\ufffd")
    seen[charset, named] = (text, marks)
    print(f"  {charset}, {'named' if named else 'not named'}: {text!r}; marks in the standard library's: {marks}")
letters = sum(letter.isalpha() for letter in TEXT)
rest = "".join(letter for letter in TEXT if not letter.isalpha())
expected = [(TEXT, 0), (rest, letters), (rest, letters), (TEXT, 2 * letters)]  # two bytes a letter
sys.exit(0 if list(seen.values()) == expected else f"the behaviour has changed: {seen}")
PY
