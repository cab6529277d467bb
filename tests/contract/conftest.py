"""A copy of the contract that a test may break."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.contract.generate import SCHEMAS

Edit = Callable[[str, str, str], None]


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """The whole of schemas/avro, registry and golden records included, in a folder of its own."""
    return Path(shutil.copytree(SCHEMAS, tmp_path / "avro"))


@pytest.fixture
def edit(contract: Path) -> Edit:
    """edit("events/deal_opened", old, new) replaces text in one schema of the copy."""

    def replace(name: str, old: str, new: str) -> None:
        file = contract / f"{name}.avsc"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return replace


def record(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A record named Deal with these fields."""
    return {"type": "record", "name": "Deal", "namespace": "crm", "doc": "A deal.", "fields": list(fields), **more}


def field(name: str, type: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type, "doc": "A field.", **more}
