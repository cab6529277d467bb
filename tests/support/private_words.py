"""Words that only this project understands, or that read as translated: `make lint` refuses them.

`python -m tests.support.private_words [PATH ...]` prints each place with the field's term for it, and exits with 1.
Names of the wire and of stored rows stay as they were published: they are read off the schemas and are no hits.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.tools import ROOT

# In names, docstrings, comments, messages and docs.
EVERYWHERE = {
    "told": "reported, sent, recorded, published, notified",
    "anew": "again, from scratch",
    "whoever": "the caller, the client, anyone who",
    "beside": "next to, alongside, in the background, besides",
    "for ever": "forever, permanently",
    "(?:stands?|stood|standing) still": "halts, is stopped",
    "(?:goes|go|going|went|gone) over": "switches to, is cut over, goes through",
    "twice is once": "is idempotent",
}
# As a word of an identifier, a file's or a folder's name.
IN_NAMES = {
    "tell": "notify, publish, report, print",
    "telling": "notices, reporting",
    "teller": "sender, notifier",
    "asked": "request, options, search terms",
    "asking": "request",
    "standing": "status, cursor",
    "standings": "status",
    "manners": "priority, throttle",
    "desk": "executor, session",
    "doors": "directory, limits",
    "door": "endpoint, url, http client",
    "house": "root, package",
    "slab": "chunk",
    "legible": "decode",
    "unfit": "violates limits",
    "recall": "recovery",
    "refold": "state rebuild",
    "ways": "identifiers",
    "tape": "partition reader",
    "beheld": "seen",
}
# Published before, and kept as an alias.
PUBLISHED = "rebuild-beside"
PYTHONS = {"tell"}  # the method of its files
GENERATED = re.compile(r"(<!-- topics: [^>]*>).*?\1", re.DOTALL)  # from schemas that are published
PROSE = re.compile(rf"\b(?:{'|'.join(EVERYWHERE)})\b", re.IGNORECASE)
WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
TEXT = (".py", ".md", ".toml", ".yml", ".sh", ".sql", ".graphql", ".html", ".js", ".ts")
# Kept as they were written: history, recorded text of customers, and what is generated from the schemas.
EXEMPT = re.compile(
    r"CHANGELOG\.md|docs/events\.md|tests/meaning/\w+\.toml|crm/(?:events|facts|shared)\.py|schemas/.*|tests/support/private_words\.py|.*/node_modules/.*"
)


def main(paths: list[str]) -> int:
    listed = subprocess.check_output(["git", "ls-files", *paths], cwd=ROOT, text=True).split("\n")
    found = [line for name in listed if name and (ROOT / name).is_file() for line in private_words(ROOT, name)]
    print("\n".join(found) if found else "No private words.")
    return bool(found)


def private_words(root: Path, name: str) -> Iterator[str]:
    """Yields `path:line: word -> the field's term` for one file."""
    if EXEMPT.fullmatch(name):
        return
    for word in WORDS.findall(name):
        if term := IN_NAMES.get(word.lower(), EVERYWHERE.get(word.lower())):
            yield f"{name}:0: {word} in the name of a file -> {term}"
    if not name.endswith(TEXT):
        return
    text = GENERATED.sub("", (root / name).read_text(encoding="utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        for match in PROSE.finditer(line.replace(PUBLISHED, "")):
            term = next(term for word, term in EVERYWHERE.items() if re.fullmatch(word, match[0], re.IGNORECASE))
            yield f"{name}:{number}: {match[0]} -> {term}"
    if name.endswith(".py"):
        yield from private_names(name, text)


def private_names(name: str, text: str) -> Iterator[str]:
    """Yields the hits among a module's identifiers, word by word."""
    published = wire_names()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.NAME or token.string in published or token.string in PYTHONS:
            continue
        words = [word.lower() for word in WORDS.findall(token.string)]
        for word in words:
            if term := IN_NAMES.get(word) or (EVERYWHERE.get(word) if len(words) > 1 else None):
                yield f"{name}:{token.start[0]}: {token.string} -> {term}"


@cache
def wire_names() -> frozenset[str]:
    """Returns the names that events, facts, rows and stored state were published with, off their classes."""
    names = set()
    for path in ("crm/events.py", "crm/facts.py", "crm/shared.py", "crm/state/entities.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    return frozenset(names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
