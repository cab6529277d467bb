"""`crm connect new VENDOR`: the folder of a connector, to be changed into the vendor's. It passes every check as it is.

A vendor that sends signs by HMAC-SHA256, as most do; one that is asked has a key, and pages with numbers.
"""

import keyword
import re
from pathlib import Path

LONGEST = 18  # letters of a vendor's name
IMPORTS = re.compile(r"(?:from services\.connectors\..*\n)+")  # their order depends on the name
FOLDER = Path(__file__).parents[1] / "connectors"  # importing them takes longer than most commands
SHARED = {
    "README.md": """# Acme

What comes in from Acme, in one sentence. Vendor's documents: https://acme.example/docs

## Connect

    crm connect acme --secret SECRET

Where people copy the secret from, and where they paste the URL.

## Limits

How long the vendor waits, how often it repeats, how much it gives in one answer.

## What is kept

The raw bytes and all headers but `Authorization` and `Cookie`.
""",
}
RECEIVED = {
    "__init__.py": '''"""Acme: what it is, in a few words."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.acme.webhook import WEBHOOK, Settings

PROOF = Signature("the signing secret, in the cabinet of Acme under Webhooks.")
CONNECTOR = Connector("acme", "forms", WEBHOOK, "Forms of Acme", PROOF, Settings)
''',
    "webhook.py": '''"""Acme: a form that was sent (https://acme.example/docs/webhooks)."""

import hashlib
import hmac
from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_equal
from crm.connector_settings import Country
from crm.facts import FormSubmitted
from crm.phones import phones_in
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import required, text

SIGNATURE = "x-acme-signature"


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection."""

    country: Country = ""


def signature(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(delivery: Delivery, connection: Connection) -> None:
    expect_equal(signature(delivery.body, connection.secret), delivery.headers.get(SIGNATURE, ""))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    form = decode_object(delivery.body)
    id, phones = required(form, "id"), tuple(phones_in(text(form, "phone"), country_of(connection)))
    fact = partial(FormSubmitted, form=text(form, "form"), name=text(form, "name"), phones=phones)
    yield Report(f"form/{id}", id, delivery.received_at, fact)


WEBHOOK = Webhook(verify, parse)
''',
    "rehearse.py": '''"""Deliveries of Acme, signed like it signs."""

from functools import partial

from crm.connector import Delivery
from services.connectors.acme.webhook import SIGNATURE, signature
from services.connectors.rehearsal import Rehearsal, derived_secret, with_headers

secret_of = partial(derived_secret, "acme")


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_headers(delivery, {SIGNATURE: signature(delivery.body, secret_of(seed))})


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
''',
    "samples/form.json": """{"id": "f1", "form": "Contact us", "name": "Олена", "phone": "067 123 45 67"}
""",
    "samples/form.facts.json": """{
  "facts": [
    {
      "type": "FormSubmitted",
      "key": "form/f1",
      "form": "Contact us",
      "name": "Олена",
      "phones": [{"text": "067 123 45 67", "e164": "+380671234567"}]
    }
  ]
}
""",
}
POLLED = {
    "__init__.py": '''"""Acme: what it is, in a few words."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.acme.poll import POLL, Settings

PROOF = ApiKey("the API key, in the cabinet of Acme under API.")
CONNECTOR = Connector("acme", "forms", None, "Forms of Acme", PROOF, Settings, poll=POLL)
''',
    "poll.py": '''"""Acme: forms that were sent (https://acme.example/docs/api)."""

from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector_poll import SECOND, Ask, Auth, ByTime, Poll, Turn
from crm.connector_settings import Country, Since
from crm.delivery import Connection, Delivery, Report, country_of
from crm.facts import FormSubmitted
from crm.phones import phones_in
from crm.poll_paging import next_number
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import required, text


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection."""

    country: Country = ""
    since: Since = ""


def ask(turn: Turn) -> Ask:
    return Ask("/v1/forms", {"from": str(turn.since // SECOND), "to": str(turn.until // SECOND), "per_page": "100"})


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    form = decode_object(delivery.body)
    id, phones = required(form, "id"), tuple(phones_in(text(form, "phone"), country_of(connection)))
    fact = partial(FormSubmitted, form=text(form, "form"), name=text(form, "name"), phones=phones)
    yield Report(f"form/{id}", id, delivery.received_at, fact)


POLL = Poll(
    "https://api.acme.example",
    ask,
    Auth("authorization", "Bearer "),
    parse,
    items=("forms",),
    paging=next_number("page", ("forms",), 100),
    cursor=ByTime(overlap=3_600),
    every=300,
    per_minute=60,
)
''',
    "samples/polled/page.json": """{
  "forms": [{"id": "f1", "form": "Contact us", "name": "Олена", "phone": "067 123 45 67"}]
}
""",
    "samples/polled/page.facts.json": """{
  "url": "/v1/forms?from=1791190560&to=1791190860&per_page=100",
  "facts": [
    {
      "type": "FormSubmitted",
      "key": "form/f1",
      "form": "Contact us",
      "name": "Олена",
      "phones": [{"text": "067 123 45 67", "e164": "+380671234567"}]
    }
  ]
}
""",
}


def write(vendor: str, polled: bool, folder: Path = FOLDER) -> list[Path]:
    """Writes the folder of a connector and returns its files. Raises ValueError; then nothing was written."""
    fits = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", vendor) and len(vendor) <= LONGEST
    if not fits or keyword.iskeyword(vendor) or vendor == "new":
        what = f"up to {LONGEST} small letters, digits and hyphens"
        raise ValueError(f"{vendor!r} is no name of a connector: {what}. Nothing was written.")
    target = folder / vendor.replace("-", "_")
    if target.exists():
        raise ValueError(f"{target} is there already. Nothing was written.")
    written = []
    for name, template in {**SHARED, **(POLLED if polled else RECEIVED)}.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(filled(template, vendor), "utf-8")
        written.append(file)
    return written


def filled(template: str, vendor: str) -> str:
    """Returns a template with the vendor's name where acme was, in each of its spellings."""
    text = template.replace("services.connectors.acme.", f"services.connectors.{vendor.replace('-', '_')}.")
    text = text.replace("Acme", vendor.replace("-", " ").title()).replace("acme", vendor)
    return IMPORTS.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), text)
