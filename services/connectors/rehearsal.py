"""What a connector's rehearse.py has for the demo and the tests: requests in the vendor's exact form, signed like it.

`REHEARSAL` names what a vendor can act out, so that the demo needs no vendor's name:
`submit_form`, `submit_report`, `receive_transfer`, `receive_invoice`, `pay_by_card`, `ring`, `hang_up`, `write`,
`share_contact`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from urllib.parse import urlencode

from msgspec.structs import replace

from crm.connector import Delivery
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED

JSON = "application/json"
Post = tuple[dict[str, str], bytes]  # headers and body


@dataclass(frozen=True)
class Rehearsal:
    """What a vendor can act out. An action gets the seed of the secrets first, then what it is about.

    `secret_of` and `settings` are those of a connection that is declared for a seed; `answer` is what the vendor
    expects. `sign` returns a delivery with the vendor's proof for that connection, at the time of `received_at`; a
    vendor that proves nothing but that it knows the address leaves it out. For captured samples: `wire` makes a request
    of one that was saved parsed, `captured` names their folders, spaces between, if not the connector's name does.
    `take` is its API: path and body of a request that sends an answer give the vendor's response, and the chat and the
    text that arrive there; None for another request.
    """

    actions: Mapping[str, Callable[..., Post]]
    secret_of: Callable[[str], str]
    answer: bytes | None = None
    sign: Callable[[Delivery, str], Delivery] = lambda delivery, _seed: delivery
    settings: Callable[[str], Mapping[str, str]] = lambda _seed: {}
    wire: Callable[[bytes], Post] = lambda body: ({"content-type": JSON}, body)
    captured: str = ""
    take: Callable[[str, bytes], tuple[bytes, tuple[str, str]] | None] | None = None
    sends: Mapping[str, str] = field(default_factory=dict)  # settings that the demo sends with: no connection has them


def with_headers(delivery: Delivery, headers: Mapping[str, str]) -> Delivery:
    """Returns a delivery with more headers."""
    return replace(delivery, headers={**delivery.headers, **headers})


def with_post(delivery: Delivery, post: Post) -> Delivery:
    """Returns a delivery with more headers and another body."""
    return replace(delivery, headers={**delivery.headers, **post[0]}, body=post[1])


def rehearsals() -> dict[str, Rehearsal]:
    """Returns the rehearsal of each connector that receives anything, by its name."""
    found: dict[str, Rehearsal] = {}
    for name, connector in CONNECTORS.items():
        if connector.webhook:
            found[name] = import_module(f"{__package__}.{name.replace('-', '_')}.rehearse").REHEARSAL
    return found


def derived_secret(connector: str, seed: str) -> str:
    """Returns a secret that is the same for one seed. For rehearsals only."""
    return hashlib.sha256(f"{connector}/{seed}".encode()).hexdigest()


def form_post(fields: Mapping[str, object]) -> Post:
    return {"content-type": URLENCODED}, urlencode(fields).encode()


def bracketed(tree: object, prefix: str = "") -> list[tuple[str, str]]:
    """Returns the fields of a tree as PHP's http_build_query writes them: `payment[products][0][name]`."""
    if not isinstance(tree, dict | list):
        return [(prefix, str(tree))]
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [pair for name, value in items for pair in bracketed(value, f"{prefix}[{name}]" if prefix else str(name))]


def php_post(tree: object) -> Post:
    return {"content-type": URLENCODED}, urlencode(bracketed(tree)).encode()


def json_post(value: object) -> Post:
    return {"content-type": JSON}, json_bytes(value)


def json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
