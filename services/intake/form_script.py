"""GET /form.js: the script of docs/widget.md. `form.js` is what people edit, `form.min.js` what is served."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from services.intake.reply import Headers, Reply

SERVED = Path(__file__).with_name("form.min.js").read_bytes()
VERSION = hashlib.sha256(SERVED).hexdigest()[:16]
ETAG = f'"{VERSION}"'
HOUR = b"public, max-age=3600, stale-while-revalidate=604800"  # a page names no version, so that it gets a new one
FOREVER = b"public, max-age=31536000, immutable"
JAVASCRIPT = b"text/javascript; charset=utf-8"
HEADERS: Headers = (
    (b"etag", ETAG.encode()),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)


def script(headers: Mapping[str, str], query: bytes) -> Reply:
    """Returns the script; 304 without it when the browser has it already. `?v=` its version is kept for a year."""
    age = FOREVER if query == b"v=" + VERSION.encode() else HOUR
    known = {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}
    status, body = (304, b"") if known & {ETAG, "*"} else (200, SERVED)
    return Reply(status, body, JAVASCRIPT, ((b"cache-control", age), *HEADERS))
