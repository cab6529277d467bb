"""Zadarma: the recording of a number (https://zadarma.com/en/support/api/#api_pbx_record), by a signed question."""

import base64
import hashlib
import hmac
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from crm.connector_files import Files, Values

ApiKey = Annotated[
    str,
    Meta(description="The API key, next to the secret at my.zadarma.com: with it, recordings are fetched."),
]


def sign(url: str, values: Values) -> dict[str, str]:
    """Signs path, query and the MD5 of the query (https://zadarma.com/en/support/api/#intro_authorization)."""
    parts = urlsplit(url)
    text = parts.path + parts.query + hashlib.md5(parts.query.encode(), usedforsecurity=False).hexdigest()
    mac = hmac.digest(values["secret"].encode(), text.encode(), "sha1").hex()
    return {"authorization": f"{values['api_key']}:{base64.b64encode(mac.encode()).decode()}"}


FILES = Files(
    needs=("api_key", "secret"),
    look_up="https://api.zadarma.com/v1/pbx/record/request/?call_id={ref}",
    link="link",
    sign=sign,
)
