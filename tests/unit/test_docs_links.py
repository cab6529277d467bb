"""Every relative link in a Markdown page leads to a file, and its anchor to a heading."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.tools import ROOT

SKIPPED = {"node_modules", ".venv", ".venv-tools", ".git", ".data", "build"}
FENCED = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
OUTSIDE = re.compile(r"[a-z]+:")


def pages(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from (Path(folder) / name for name in sorted(files) if name.endswith(".md"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, hyphens for blanks, no punctuation; a repeated one gets a number."""
    found: set[str] = set()
    for heading in HEADING.findall(
        re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    ):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        repeated = sum(1 for other in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other))
        found.add(f"{slug}-{repeated}" if repeated else slug)
    return found


def broken(root: Path) -> list[str]:
    wrong = []
    for page in pages(root):
        for link in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
            if OUTSIDE.match(link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            where = page.relative_to(root)
            if not target.exists():
                wrong.append(f"{where}: {link} leads to no file")
            elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
                wrong.append(f"{where}: {link} leads to no heading")
    return wrong


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(
        "# A page\n[b](b.md) [c](c.md) [up](../top.md#the-end-1)\n"
        "```\n[x](x.md)\n# no heading\n```\n[me](#a-page) [no](#no-heading)\n"
        "[web](https://example.org/x.md)\n"
    )
    (tmp_path / "docs" / "b.md").write_text("[top](../top.md#the-start) `[code](gone.md)`\n")
    (tmp_path / "top.md").write_text("# The end\n## The *end*\n")
    assert broken(tmp_path) == [
        "docs/a.md: c.md leads to no file",
        "docs/a.md: #no-heading leads to no heading",
        "docs/b.md: ../top.md#the-start leads to no heading",
    ]


def test_every_link_leads_somewhere() -> None:
    assert broken(ROOT) == []
