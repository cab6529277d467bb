#!/usr/bin/env bash
# An urlencoded form with one byte that is not UTF-8, sent as it is and not as %XX, as hand-made windows-1251 senders do.
#
# Most people expect: that field comes out damaged, the others whole; the urlencoded format is defined for any bytes, and a
#   field with %CA in it keeps its neighbours.
# What happens: in Werkzeug (so in Flask) the whole form is empty. No error, no 400: phone, order and sum are gone, and the body
#   has been read, so get_data() afterwards is empty too. Starlette keeps every field.
# Why it matters: an order with a name in windows-1251, or "15°C" in its comment, is answered with 200 and lost completely and
#   permanently. Read get_data() BEFORE form (it stays cached), and treat an empty form with a body as an error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check werkzeug==3.1.9 starlette==1.10.0 python-multipart==0.0.34
"$dir/venv/bin/python" - <<'PY'
import asyncio, sys
from importlib.metadata import version
from starlette.requests import Request as Starlette
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as Werkzeug

KIND = "application/x-www-form-urlencoded"

def by_werkzeug(body):
    request = Werkzeug(EnvironBuilder(method="POST", data=body, content_type=KIND).get_environ())
    return request.form.to_dict(), request.get_data()

def by_starlette(body):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def ask():
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", KIND.encode())]}
        return dict(await Starlette(scope, receive).form())

    return asyncio.run(ask())

raw = b"phone=0671234567&order=A-17&name=" + "Олена".encode("windows-1251")
escaped = b"phone=0671234567&order=A-17&name=%CE%EB%E5%ED%E0"
print("Werkzeug", version("werkzeug"), "and Starlette", version("starlette"))
print("One raw byte outside UTF-8 empties Werkzeug's whole form, silently; the same bytes as %XX do not.")
form, body = by_werkzeug(raw)
other, _ = by_werkzeug(escaped)
kept = by_starlette(raw)
print("  raw bytes, Werkzeug:", form, "and the body read after it:", body)
print("  raw bytes, Starlette:", kept)
print("  the same as %XX, Werkzeug:", other)
same = (
    (form, body) == ({}, b"")
    and other == {"phone": "0671234567", "order": "A-17", "name": "%CE%EB%E5%ED%E0"}
    and (kept["phone"], kept["order"], len(kept)) == ("0671234567", "A-17", 3)
)
sys.exit(0 if same else f"the behaviour has changed: {form} {body} {other} {kept}")
PY
