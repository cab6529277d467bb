"""How long a file is: its lines with code, without comments, docstrings and empty lines."""

import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

BEGINS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)  # what a statement begins after
NO_CODE = (*BEGINS, tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER)


def code_lines(file: Path) -> int:
    """Returns how many lines of a Python file hold code."""
    return len(set(lines_with_code(file.read_text("utf-8"))))


def lines_with_code(source: str) -> Iterator[int]:
    """Yields the numbers of lines that are neither empty nor comments nor docstrings."""
    begins = True  # of a statement: a text there is a docstring
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in NO_CODE:
            begins = begins or token.type in BEGINS
            continue
        if not (begins and token.type == tokenize.STRING):
            yield from range(token.start[0], token.end[0] + 1)
        begins = False
