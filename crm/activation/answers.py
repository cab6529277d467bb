"""Answers of a vendor's API: what they hold, and what went wrong, as sentences without any secret. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

LONGEST = 200  # characters of a vendor's own words
REFUSED = (400, 401, 403, 404, 405, 409, 410, 422)


class VendorAnswer(Struct, frozen=True, gc=False):
    """An answer over HTTP. `retry_after` is the header as it came."""

    status: int
    body: bytes
    retry_after: str = ""


class AnswerForm(Protocol):
    """What a declaration says of answers: see Activation."""

    @property
    def good(self) -> Mapping[str, str]: ...

    @property
    def why(self) -> str: ...


class VendorSaysNo(Exception):
    """The vendor refused: the key is wrong, or may not do this. Trying again changes nothing."""


class VendorAway(Exception):
    """The vendor did not answer, or not in its own way. It may be tried again later."""


def read_answer(connector: str, declared: AnswerForm, answer: VendorAnswer, secrets: Iterable[str]) -> Any:
    """Returns the JSON of a good answer; None when it is empty. Raises VendorSaysNo and VendorAway."""
    if 300 <= answer.status < 400:
        raise VendorAway(f"{connector} answered with a redirect (HTTP {answer.status}), which is not followed.")
    try:
        tree = msgspec.json.decode(answer.body) if answer.body.strip() else None
    except msgspec.DecodeError:
        if answer.status in REFUSED:
            raise VendorSaysNo(f"{connector} refused it (HTTP {answer.status}).") from None
        raise VendorAway(f"{connector} answered HTTP {answer.status} and no JSON.") from None
    words = without(said(tree, declared.why), secrets)
    quoted = f": {words}" if words else ""
    if answer.status == 429 or answer.status >= 500:
        wait = f" It asks to wait {answer.retry_after} s." if answer.retry_after.isdigit() else ""
        raise VendorAway(f"{connector} cannot take it now (HTTP {answer.status}{quoted}).{wait}")
    if not 200 <= answer.status < 300:
        raise VendorSaysNo(f"{connector} refused it (HTTP {answer.status}{quoted}).")
    if any(said(tree, path) != text for path, text in declared.good.items()):
        raise VendorSaysNo(f"{connector} refused it{quoted or ' and did not say why'}.")
    return tree


def value_at(tree: Any, path: str) -> Any:
    """Returns what lies at a path such as `data.0.url`; None when nothing does."""
    for name in path.split(".") if path else ():
        if isinstance(tree, dict):
            tree = tree.get(name)
        elif isinstance(tree, list) and name.isdigit() and int(name) < len(tree):
            tree = tree[int(name)]
        else:
            return None
    return tree


def said(tree: Any, path: str) -> str:
    """Returns the text or number at a path as a text; empty when there is none."""
    value = value_at(tree, path) if path else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def without(words: str, secrets: Iterable[str]) -> str:
    """Returns a vendor's words in one line, without what nobody may read, and not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    for secret in secrets:
        if len(secret) > 3:
            line = line.replace(secret, "***")
    return line if len(line) <= LONGEST else line[:LONGEST] + "..."
