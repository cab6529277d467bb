"""What a cell of a workbook says, as text."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

DIGITS = 15  # of a number, that a workbook keeps and shows: what is behind them comes of counting in binary
ROUNDED = "holds a number of more than 15 digits, of which a workbook keeps 15: format the column as text before typing"
MIDNIGHT = time(0)


def text_of(cell: Any) -> str:
    """Returns what a cell shows: a number with 15 digits, a day or a moment in ISO 8601."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return number_text(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == MIDNIGHT else cell.isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def number_text(number: float) -> str:
    if number.is_integer():
        return f"{number:.0f}"
    text = format(number, f".{DIGITS}g")
    if "e" in text:
        return format(Decimal(text), "f")
    return text if "n" not in text else ""  # no number and no end are the error of a formula


def wrong_in(cells: Sequence[Any]) -> str:
    """Returns why a row cannot be believed; empty if it can."""
    for place, cell in enumerate(cells, 1):
        if isinstance(cell, (int, float)) and abs(cell) >= 10**DIGITS:
            return f"Cell {place} {ROUNDED}."
    return ""
