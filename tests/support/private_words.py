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
PROSE = re.compile(rf"\b(?:{'|'.join(EVERYWHERE)})\b", re.IGNORECASE)
WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
TEXT = (".py", ".md", ".toml", ".yml", ".sh", ".sql", ".graphql", ".html", ".js", ".ts")
# Kept as they were written: history, recorded text of customers, and what is generated from the schemas.
EXEMPT = re.compile(
    r"CHANGELOG\.md|tests/meaning/\w+\.toml|crm/(?:events|facts|shared)\.py|schemas/.*|tests/support/private_words\.py|.*/node_modules/.*"
)


def main(paths: list[str]) -> int:
    listed = subprocess.check_output(["git", "ls-files", *paths], cwd=ROOT, text=True).split("\n")
    found = [line for name in listed if name and (ROOT / name).is_file() for line in hits(name, ROOT)]
    print("\n".join(found) if found else "No private words.")
    return bool(found)


def hits(name: str, root: Path) -> Iterator[str]:
    """Sentences `path:line: word -> the field's term` of one file."""
    if EXEMPT.fullmatch(name):
        return
    for word in WORDS.findall(name):
        if term := IN_NAMES.get(word.lower(), EVERYWHERE.get(word.lower())):
            yield f"{name}:0: {word} in the name of a file -> {term}"
    if not name.endswith(TEXT):
        return
    text = (root / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        for match in PROSE.finditer(line):
            yield f"{name}:{number}: {match[0]} -> {term_of(match[0])}"
    if name.endswith(".py"):
        yield from named(name, text)


def named(name: str, text: str) -> Iterator[str]:
    published = wire_names()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string not in published:
            words = [word.lower() for word in WORDS.findall(token.string)]
            for word in words:
                bad = IN_NAMES.get(word) or (len(words) > 1 and EVERYWHERE.get(word)) or None
                if bad:
                    yield f"{name}:{token.start[0]}: {token.string} -> {bad}"


def term_of(found: str) -> str:
    return next(term for word, term in EVERYWHERE.items() if re.fullmatch(word, found, re.IGNORECASE))


def wire_names() -> frozenset[str]:
    """Names that events, facts, rows and stored state were published with. From the generated classes and entities."""
    if not _WIRE:
        for path in ("crm/events.py", "crm/facts.py", "crm/shared.py", "crm/state/entities.py"):
            for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    _WIRE.add(node.name)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    _WIRE.add(node.target.id)
    return frozenset(_WIRE)


_WIRE: set[str] = set()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
