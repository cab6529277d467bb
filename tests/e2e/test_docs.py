"""Runs pages of docs/ as they are written: every shell block in one shell; compares each answer."""

from pathlib import Path

import pytest

from tests.support.page import Page, is_printed
from tests.support.running_stack import RunningStack

PAGES = {"first-ten-minutes.md": ["make run\n"], "marketplace.md": []}


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_of_a_kind_that_is_run(name: str) -> None:
    blocks = Page(name).blocks
    assert {kind for kind, _ in blocks} - {""} == {"sh", "python", "json", "text"}
    assert [text for kind, text in blocks if kind == ""] == PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_a_page(name: str, stack: RunningStack, tmp_path: Path) -> None:
    stack.empty_quarantine()
    Page(name).run(stack, tmp_path)


@pytest.mark.parametrize(
    ("said", "text", "same"),
    [
        ("1000\n", "1000\n", True),
        ("1001\n", "1000\n", False),
        ('{"a": 1}\n', '{"a":1}\n', True),
        ('{"a": 2}\n', '{"a":1}\n', False),
        ("Sent 3 in 0.1 s: 3 accepted.\n", "Sent 3 in … s: 3 accepted.\n", True),
        ("Sent 3 in 0.1 s: 2 accepted.\n", "Sent 3 in … s: 3 accepted.\n", False),
        ("Sent 3 in 0.1 s\n1 refused: 3 accepted.\n", "Sent 3 in … s: 3 accepted.\n", False),
    ],
)
def test_what_is_printed_is_compared(said: str, text: str, same: bool) -> None:
    assert is_printed(said, text) is same
