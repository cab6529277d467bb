"""Each decision has a line in the index and the same parts in the same order."""

import re
from pathlib import Path

from tests.support.tools import ROOT

DECISIONS = ROOT / "docs" / "decisions"
PARTS = (["Context", "Decision", "Consequences"], ["Context", "Decision", "Consequences", "Alternatives"])


def wrong(folder: Path) -> list[str]:
    found = []
    index = (folder / "index.md").read_text("utf-8")
    for page in sorted(folder.glob("0*.md")):
        number, text = int(page.name[:4]), page.read_text("utf-8")
        if f"| {number} | [" not in index or index.count(f"]({page.name})") != 1:
            found.append(f"{page.name} has no line in the index")
        if not text.startswith(f"# {number}. "):
            found.append(f"{page.name} has another title")
        if re.findall(r"^## (.+)$", text, re.MULTILINE) not in PARTS:
            found.append(f"{page.name} has other parts")
    return found


def test_a_decision_without_a_line_or_a_part_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("| 1 | [One](0001-one.md) |\n")
    (tmp_path / "0001-one.md").write_text("# 1. One\n\n## Context\n\n## Decision\n\n## Consequences\n")
    (tmp_path / "0002-two.md").write_text("# 3. Two\n\n## Context\n")
    assert wrong(tmp_path) == [
        "0002-two.md has no line in the index",
        "0002-two.md has another title",
        "0002-two.md has other parts",
    ]


def test_every_decision_is_in_the_index() -> None:
    assert wrong(DECISIONS) == []
