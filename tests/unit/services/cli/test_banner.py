"""The banner of a stack that is ready says which address vendors call."""

import json
from pathlib import Path

import pytest

from services.cli.banner import print_banner
from services.stack.state import StackState

LOCAL = "http://127.0.0.1:8080"
ONLY_HERE = "Only this machine can reach this address; set CRM_PUBLIC_URL or run a tunnel."


def stack(data: Path) -> StackState:
    return StackState(1, 0, str(data), "", "", LOCAL, "", "http://127.0.0.1:8081/graphql", [])


def test_a_local_address_comes_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_banner(stack(tmp_path), as_json=False)
    assert f"  Vendors   {LOCAL}\n            {ONLY_HERE}\n" in capsys.readouterr().out
    print_banner(stack(tmp_path), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["intake_url"], said["public_url"], said["warning"]) == (LOCAL, LOCAL, ONLY_HERE)


def test_a_public_address_is_printed_without_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_PUBLIC_URL", "https://crm.example.com/")
    print_banner(stack(tmp_path), as_json=False)
    shown = capsys.readouterr().out
    assert "  Vendors   https://crm.example.com\n" in shown and "Only this machine" not in shown
    print_banner(stack(tmp_path), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["intake_url"], said["public_url"], said["warning"]) == (LOCAL, "https://crm.example.com", None)
