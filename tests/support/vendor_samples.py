"""Where the vendors' real samples lie, and each of them as its vendor would send it."""

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from crm.connector import Connection
from services.connectors.formats.bodies import URLENCODED
from services.connectors.rehearsal import php_post
from tests.support.connector_deliveries import connection, http_post, json_post
from tests.support.rehearse import Post, keys, liqpay_signed, monobank_signed, telegram_signed

FOLDER = Path(os.environ.get("CRM_PAYLOADS", Path(__file__).parents[2].parent / "shared" / "payloads"))
KEY, PUBLIC_KEY = keys("samples")
TOKEN = "TEST_secret-token_123"
FORMS = ("generic-form", "tilda", "cf7", "elementor", "gravity-forms", "google-forms", "jotform", "wpforms", "typeform")
PHP_FORMS = ("tilda", "elementor")  # their parsed samples came as urlencoded brackets


class Sample(NamedTuple):
    """One delivery, and the connection that it comes to."""

    name: str
    connection: Connection
    post: Post


def published_vector(name: str) -> Any:
    """A published signature: secret, headers, and the file of the body or the data."""
    return json.loads((FOLDER / f"{name}.vector.json").read_text())


def body(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def sample(name: str) -> Sample:
    return next(found for found in samples() if found.name == name)


def samples() -> Iterator[Sample]:
    """Every matching sample; the vendors' published vectors come with their own keys."""
    numbers = count(10_000)
    for file in sorted(FOLDER.glob("*/*")):
        name = f"{file.parent.name}/{file.name}"
        if file.name.endswith((".vector.json", "response_example.json", "headers.txt")):
            continue
        if file.parent.name in FORMS:
            yield Sample(name, form_connection(file.parent.name), form_post(file))
        elif file.parent.name == "monobank-acquiring":
            yield Sample(name, connection("monobank", PUBLIC_KEY), monobank_signed(KEY, file.read_bytes()))
        elif file.parent.name == "monobank-personal":
            yield Sample(name, connection("monobank-personal"), json_post(file.read_bytes()))
        elif file.parent.name == "liqpay":
            post = liqpay_signed("TEST_secret", file.read_bytes())
            yield Sample(name, connection("liqpay", sandbox="yes"), post)
        elif file.parent.name == "binotel":
            post = http_post(file) if file.suffix == ".txt" else php_post(json.loads(file.read_text()))
            yield Sample(name, connection("binotel"), post)
        elif file.parent.name == "telegram":
            update = json.loads(file.read_text()) | {"update_id": next(numbers)}  # the examples share one number
            post = telegram_signed(TOKEN, json.dumps(update, ensure_ascii=False).encode())
            yield Sample(name, connection("telegram", TOKEN), post)


def form_connection(vendor: str) -> Connection:
    match vendor:
        case "wpforms":
            return connection("form", "TEST_wpforms_secret", signed="wpforms")
        case "typeform":
            return connection("form", "123456", signed="typeform")
    return connection("form")


def form_post(file: Path) -> Post:
    if file.suffix == ".txt":
        return http_post(file)
    if file.parent.name == "typeform":
        signature = published_vector("typeform/form_response")["headers"]["Typeform-Signature"]
        return {"content-type": "application/json", "typeform-signature": signature}, file.read_bytes()
    if file.parent.name == "elementor":  # its names already have their brackets
        return {"content-type": URLENCODED}, urlencode(json.loads(file.read_text())).encode()
    return php_post(json.loads(file.read_text())) if file.parent.name in PHP_FORMS else json_post(file.read_bytes())
