#!/usr/bin/env bash
# A multipart field whose own header names its charset: Content-Type: text/plain; charset=windows-1251 (RFC 7578, 4.4).
#
# Most people expect: the field is decoded as it says, or the request is refused.
# What happens: three parsers give three texts. multipart reads "Київ". Starlette ignores the charset, tries UTF-8, falls back
#   on Latin-1 silently: "Êè¿â", which looks like letters. Werkzeug puts U+FFFD for each byte.
# Why it matters: behind FastAPI a client's name turns to Latin letters and is stored; the same form behind Flask is lost for
#   good. Starlette's text can be recovered (encode as Latin-1, decode as windows-1251), Werkzeug's cannot.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
    multipart==2.0.1 python-multipart==0.0.34 starlette==1.10.0 werkzeug==3.1.9
"$dir/venv/bin/python" - <<'PY'
import asyncio, io, sys
from importlib.metadata import version
import multipart
from starlette.requests import Request as Starlette
from werkzeug.formparser import parse_form_data

KIND = "multipart/form-data; boundary=cut"
BODY = (
    b'--cut\r\nContent-Disposition: form-data; name="city"\r\n'
    b"Content-Type: text/plain; charset=windows-1251\r\n\r\n" + "Київ".encode("windows-1251") + b"\r\n--cut--\r\n"
)

def environ():
    length = str(len(BODY))
    return {"REQUEST_METHOD": "POST", "CONTENT_TYPE": KIND, "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(BODY)}

def by_starlette():
    async def receive():
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def ask():
        scope = {"type": "http", "method": "POST", "headers": [(b"content-type", KIND.encode())]}
        return (await Starlette(scope, receive).form())["city"]

    return asyncio.run(ask())

print("A part's own charset is heeded by one parser of three; the others store other letters, with no error.")
seen = {
    "multipart": multipart.parse_form_data(environ())[0]["city"],
    "starlette": by_starlette(),
    "werkzeug": parse_form_data(environ())[1]["city"],
}
for name, text in seen.items():
    print(f"  {name} {version(name)}: {text}")
back = seen["starlette"].encode("latin-1").decode("windows-1251")
print("  Starlette's, encoded as Latin-1 and decoded as windows-1251:", back)
texts = ("Київ", "Êè¿â", "Київ")
same = (seen["multipart"], seen["starlette"], back) == texts and set(seen["werkzeug"]) == {"\ufffd"}
sys.exit(0 if same else f"the behaviour has changed: {seen}")
PY
