"""docs/scaling.md: each figure is on the page that its row names, and each sum is right."""

import re

import pytest

from tests.support.tools import ROOT

PAGE = ROOT / "docs" / "scaling.md"
ROW = re.compile(r"^\| .*?\| ([\d,.]+)[^|\n]*\|(?:[^|\n]*\|)* \[[^]]*\]\((figures/[\w-]+\.md)\) \|$", re.MULTILINE)
SUM = re.compile(r"(?<![\d,.×+/−] )([\d,.]+(?: [×+/−] [\d,.]+)+) = ([\d,.]+\d|\d)")


def number(text: str) -> float:
    return float(text.replace(",", "").rstrip("."))


def wrong_sums(page: str) -> list[str]:
    """Returns the sums whose result, to the digits that it has, is another one."""
    wrong = []
    for left, said in SUM.findall(page):
        first, *rest = re.split(r" ([×+/−]) ", left)
        found = number(first)
        for sign, text in zip(rest[::2], rest[1::2], strict=True):
            by = number(text)
            found = {"×": found * by, "+": found + by, "/": found / by, "−": found - by}[sign]
        digits = len(said.partition(".")[2])
        significant = len(said.replace(",", "").replace(".", "").strip("0")) or 1
        if round(found, digits) != number(said) and float(f"{found:.{significant}g}") != number(said):
            wrong.append(f"{left} = {said}, and is {found:,.2f}")
    return wrong


def elsewhere(page: str) -> list[str]:
    """Returns the figures that are not on the page that their row names."""
    rows = ROW.findall(page)
    return [f"{figure} is not in {name}" for figure, name in rows if figure not in (PAGE.parent / name).read_text()]


def test_every_figure_is_measured() -> None:
    page = PAGE.read_text()
    assert len(ROW.findall(page)) > 15
    assert elsewhere(page) == []


def test_every_sum_is_right() -> None:
    page = PAGE.read_text()
    assert len(SUM.findall(page)) > 15
    assert wrong_sums(page) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("10,000 × 655 = 6,550,000", []),
        ("10 × 3.34 = 33", []),
        ("1,000,000 / 655 = 1,500", []),
        ("86,400 × 1,000 = 86,000,000", []),
        ("2 + 3 − 1 = 4", []),
        ("10,000 × 655 = 6,551,000", ["10,000 × 655 = 6,551,000, and is 6,550,000.00"]),
        ("7 / 2 = 3", ["7 / 2 = 3, and is 3.50"]),
    ],
)
def test_a_wrong_sum_is_found(text: str, wrong: list[str]) -> None:
    assert wrong_sums(text) == wrong


def test_a_figure_that_is_nowhere_is_found() -> None:
    row = "| rebuild | 182,446 events/s | two cores | [rebuild](figures/rebuild.md) |"
    assert elsewhere(row) == ["182,446 is not in figures/rebuild.md"]
