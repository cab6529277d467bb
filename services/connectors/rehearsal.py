"""What a connector's rehearse.py has for the demo and the tests: requests in the vendor's exact form, signed like it.

`REHEARSAL` names what a vendor can act out, so that the demo needs no vendor's name:
`submit_form`, `submit_report`, `receive_transfer`, `receive_invoice`, `ring`, `hang_up`, `write`, `share_contact`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from urllib.parse import urlencode

from msgspec.structs import replace

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED

JSON = "application/json"
Post = tuple[dict[str, str], bytes]  # headers and body


@dataclass(frozen=True)
class Rehearsal:
    """What a vendor can act out. An action gets the seed of the secrets first, then what it is about.

    `secret_of` gives the secret of a connection that is declared for a seed; `answer` is what the vendor expects.

    For samples: `prove` proves a request like the vendor, with the connection's secret, at a time in unix seconds;
    `wire` makes a request of a sample that was saved parsed; `captured` is the folder of the samples that were
    captured, where it has not the connector's name.
    `signed` returns a delivery with the vendor's proof for a secret: the sweep of the tests sends the samples with it.
    `sign` makes a body a request of the vendor's at a moment, signed for a seed: the tests receive all samples so, with
    the `settings` of a connection for that seed. `signs_time` when an old request is refused.
    """

    actions: Mapping[str, Callable[..., Post]]
    secret_of: Callable[[str], str]
    answer: bytes | None = None
    prove: Callable[[str, Post, int], Post] = lambda _secret, post, _at: post
    wire: Callable[[bytes], Post] = lambda body: ({"content-type": JSON}, body)
    captured: str = ""
    signed: Callable[[Delivery, str], Delivery] | None = None
    sign: Callable[[str, bytes, Micros], Post] | None = None
    settings: Callable[[str], Mapping[str, str]] = lambda _seed: {}
    signs_time: bool = False


def with_headers(delivery: Delivery, **headers: str) -> Delivery:
    """Returns a delivery with more headers; an underscore in a name stands for a hyphen."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(delivery, headers={**delivery.headers, **more})


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
