"""Trusted documents: operations that were registered before, asked for by `documentId` instead of their text."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from api.errors import ApiError

HASHED = "sha256:"  # before the hexadecimal SHA-256 of a document's text, which is always one of its ids
ONLY = "Only trusted documents are run here. Nothing was read. Send the `documentId` of a registered one."


class Untrusted(ApiError):
    """The document is not one of those that were registered."""

    code = "UNTRUSTED_DOCUMENT"


class Trusted:
    """With `only`, nothing else is run. An id is what the manifest says, a file's name, or sha256:<hexadecimal>."""

    def __init__(self, documents: Mapping[str, str] | None = None, only: bool = False) -> None:
        self.only = only
        self.documents = dict(documents or {})
        for text in (documents or {}).values():
            self.documents[HASHED + sha256(text.encode()).hexdigest()] = text
        self.texts = frozenset(self.documents.values())

    def allows(self, document: str) -> bool:
        return not self.only or document in self.texts

    def text(self, query: str | None, id: str | None, extensions: Mapping[str, Any] | None = None) -> str:
        """The document that is asked for, by its text or its id. Raises Untrusted when there is none."""
        if query is not None and id is None:
            return query
        wanted = id if id is not None else hash_of(extensions)
        found = self.documents.get(wanted) or self.documents.get(HASHED + wanted)
        if found is None:
            raise Untrusted(
                f"There is no document {wanted[:80]!r} here. Nothing was read. Register it, or send its text."
            )
        return found


NOTHING = Trusted()


def hash_of(extensions: Mapping[str, Any] | None) -> str:
    """As Apollo's clients send it; empty when they do not."""
    asked = (extensions or {}).get("persistedQuery")
    found = asked.get("sha256Hash") if isinstance(asked, dict) else None
    return found if isinstance(found, str) else ""


def read(place: Path) -> dict[str, str]:
    """Documents by id: of a folder of .graphql files, whose names are the ids, or of a manifest: {id: text}, as
    graphql-codegen and Relay write it, or Apollo's {"operations": [{"id", "body"}]}. Raises ValueError."""
    try:
        if place.is_dir():
            return {file.stem: file.read_text("utf-8") for file in sorted(place.glob("*.graphql"))}
        manifest = msgspec.json.decode(place.read_bytes(), type=dict[str, Any])
        if isinstance(operations := manifest.get("operations"), list):
            manifest = {each["id"]: each["body"] for each in operations}
        return msgspec.convert(manifest, dict[str, str])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"The trusted documents cannot be read from {place}: {error}. CRM_TRUSTED_DOCUMENTS names a folder of "
            ".graphql files, or a manifest as graphql-codegen, Relay or Apollo write it."
        ) from None
