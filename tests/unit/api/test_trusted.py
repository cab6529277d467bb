"""Trusted documents: from a folder or a manifest, by id or by hash, and exclusively where configured."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from api.engine import Engine
from api.trusted import TrustedDocuments, Untrusted, load

TEXT = "query Small { deals(first: 1) { nodes { id } } }"
HASH = sha256(TEXT.encode()).hexdigest()


class Token:
    """A token of the test."""

    id, workspace, scopes = "t", "w", ("read",)


@pytest.mark.parametrize(
    "manifest",
    [
        {"small": TEXT},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "small", "name": "Small", "type": "query", "body": TEXT}],
        },
    ],
)
def test_a_manifest_is_read(tmp_path: Path, manifest: Any) -> None:
    place = tmp_path / "manifest.json"
    place.write_bytes(json.encode(manifest))
    assert load(place) == {"small": TEXT}


def test_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "small.graphql").write_text(TEXT)
    (tmp_path / "README").write_text("not one of them")
    assert load(tmp_path) == {"small": TEXT}


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"a": 1}', b'{"operations": [{"id": "a"}]}', b'{"operations": [1]}']
)
def test_an_invalid_manifest_stops_the_start(tmp_path: Path, manifest: bytes) -> None:
    place = tmp_path / "manifest.json"
    place.write_bytes(manifest)
    for path in (place, tmp_path / "absent.json"):
        with pytest.raises(ValueError, match="CRM_TRUSTED_DOCUMENTS takes a folder"):
            load(path)


def test_a_document_is_found_by_each_of_its_ids() -> None:
    trusted = TrustedDocuments({"small": TEXT})
    assert {trusted.text(None, id) for id in ("small", f"sha256:{HASH}", HASH)} == {TEXT}
    assert trusted.text(None, None, {"persistedQuery": {"version": 1, "sha256Hash": HASH}}) == TEXT
    assert trusted.text("{ a }", None) == "{ a }"


@pytest.mark.parametrize("extensions", [None, {}, {"persistedQuery": 1}, {"persistedQuery": {"sha256Hash": 1}}])
def test_an_unknown_document_is_refused(extensions: dict[str, Any] | None) -> None:
    trusted = TrustedDocuments({"small": TEXT})
    for id in ("", "other", None):
        with pytest.raises(Untrusted, match="There is no document"):
            trusted.text(None, id, extensions)


def test_nothing_else_is_run_where_that_is_wanted() -> None:
    engine = Engine(trusted=TrustedDocuments({"small": TEXT}, only=True))
    assert engine.prepare(TEXT, None, Token()).errors == ()
    (error,) = engine.prepare(TEXT + " ", None, Token()).errors
    assert error.extensions == {"code": "UNTRUSTED_DOCUMENT"}
