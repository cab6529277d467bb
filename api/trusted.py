"""Trusted documents: registered operations, requested by `documentId` instead of their text."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from api.errors import ApiError

HASHED = "sha256:"  # prefix of a document's hexadecimal SHA-256, which is always one of its ids
ONLY = "This server executes registered documents only. Nothing was read. Send the `documentId` of one."


class Untrusted(ApiError):
    """The document is not registered."""

    code = "UNTRUSTED_DOCUMENT"


class TrustedDocuments:
    """The registered documents by id; with `only`, no other document is executed.

    An id comes from the manifest or from a file's name; sha256:<hexadecimal> always works.
    """

    def __init__(self, documents: Mapping[str, str] | None = None, only: bool = False) -> None:
        self.only = only
        self.documents = dict(documents or {})
        for text in (documents or {}).values():
            self.documents[HASHED + sha256(text.encode()).hexdigest()] = text
        self.texts = frozenset(self.documents.values())

    def allows(self, document: str) -> bool:
        return not self.only or document in self.texts

    def text(self, query: str | None, id: str | None, extensions: Mapping[str, Any] | None = None) -> str:
        """Returns the requested document, by its text or its id. Raises Untrusted when there is none."""
        if query is not None and id is None:
            return query
        wanted = id if id is not None else hash_of(extensions)
        found = self.documents.get(wanted) or self.documents.get(HASHED + wanted)
        if found is None:
            raise Untrusted(
                f"There is no document {wanted[:80]!r}. Nothing was read. Register it, or send its text as `query`."
            )
        return found


NO_DOCUMENTS = TrustedDocuments()


def hash_of(extensions: Mapping[str, Any] | None) -> str:
    """Returns the hash that Apollo's clients send, or an empty string."""
    persisted = (extensions or {}).get("persistedQuery")
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    return found if isinstance(found, str) else ""


def load(place: Path) -> dict[str, str]:
    """Returns documents by id. Raises ValueError.

    Reads a folder of .graphql files, whose names are the ids, or a manifest: {id: text} as graphql-codegen and Relay
    write it, or Apollo's {"operations": [{"id", "body"}]}.
    """
    try:
        if place.is_dir():
            return {file.stem: file.read_text("utf-8") for file in sorted(place.glob("*.graphql"))}
        manifest = msgspec.json.decode(place.read_bytes(), type=dict[str, Any])
        if isinstance(operations := manifest.get("operations"), list):
            manifest = {each["id"]: each["body"] for each in operations}
        return msgspec.convert(manifest, dict[str, str])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Trusted documents cannot be read from {place}: {error}. CRM_TRUSTED_DOCUMENTS takes a folder of "
            ".graphql files, or a manifest as graphql-codegen, Relay or Apollo write it."
        ) from None
