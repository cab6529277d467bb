"""Proposes which column is what, from headers and values, and takes what a person says otherwise."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from crm.imports import CONTACT, DEAL, TARGETS, targets_of
from crm.phones import read_phone
from crm.text.emails import emails_in
from crm.vocabulary import Existing, ExistingDeal
from services.imports.known_headers import system_of, target_of

UPDATE = "update"
POLICIES = {CONTACT: (UPDATE, *Existing), DEAL: (UPDATE, *ExistingDeal)}
SEVERAL = ("phones", "emails")  # may have more than one column
FIELD = "fields."
PARTS_OF_A_NAME = ("first_name", "last_name", "middle_name")
SLASHES = re.compile(r"\s*([0-9]{1,2})/([0-9]{1,2})/")
DECIMALS = re.compile(r"[0-9]([.,])(?:[0-9]{1,2}|[0-9]{4,})(?![0-9.,])")
SHARE = 0.8  # of a column's values: so many must be telephones or addresses


class ColumnMapping(Struct, frozen=True, omit_defaults=True):
    """How rows become facts: part of the name of each fact, so that another mapping says something new."""

    record: str  # contact, deal or the key of a type of objects
    system: str  # whose keys the rows have
    columns: dict[str, str]  # header to target; `fields.NAME` is a custom field, empty is left out
    month_first: bool = False  # 03/04/2026 is the 4th of March
    decimal: str = ""  # the decimal mark of 1,234 or 1.234, where other sums of the column show it
    existing: str = UPDATE  # or fill, or skip: what happens to a record that is there


def propose(
    header: tuple[str, ...],
    sample: Sequence[Sequence[str]],
    record: str = "",
    said: Mapping[str, str] = {},  # it is only read
    system: str = "",
    existing: str = UPDATE,
) -> ColumnMapping:
    """`sample`: some rows. `said`: header to target, by a person. Raises ValueError when it names what is not there."""
    if unknown := [name for name in said if name not in header]:
        raise ValueError(f"There is no column {unknown[0]!r}; there are {', '.join(header)}.")
    guessed = [target_of(name) for name in header]
    record = record or (DEAL if "stage" in guessed or {"title", "amount"} <= set(guessed) else CONTACT)
    if existing not in POLICIES.get(record, (UPDATE,)):
        policies = ", ".join(POLICIES.get(record, (UPDATE,)))
        raise ValueError(f"What happens to a {record} that is there already: {policies}, not {existing!r}.")
    targets = targets_of(record)
    columns = {name: checked(target, targets, record) for name, target in said.items()}
    for place, name in enumerate(header):
        if name in said:
            continue
        target = guessed[place]
        if target == "contact_key" and record == CONTACT:
            target = "key"
        if target is None and record in TARGETS:
            target = by_values([row[place] for row in sample if row[place]])
        free = target in SEVERAL or target not in columns.values()
        columns[name] = (
            target if target is not None and (target == "" or (target in targets and free)) else FIELD + name
        )
    columns = {name: columns[name] for name in header}
    cells = {target: [row[place] for row in sample] for place, target in enumerate(columns.values())}
    return ColumnMapping(
        record,
        system or system_of(header),
        columns,
        month_first([*cells.get("created_at", ()), *cells.get("changed_at", ())]),
        decimal_mark(cells.get("amount", ())),
        existing,
    )


def checked(target: str, targets: Sequence[str], record: str) -> str:
    if target and target not in targets and not (target.startswith(FIELD) and len(target) > len(FIELD)):
        raise ValueError(
            f"A {record} has no {target!r}. It has {', '.join(targets)}, fields.NAME; empty leaves a column out."
        )
    return target


def by_values(values: Sequence[str]) -> str | None:
    """Returns phones or emails where most values are that, whatever the header says."""
    if not values:
        return None
    if sum("@" in value and bool(emails_in(value)) for value in values) >= SHARE * len(values):
        return "emails"
    if sum(value[:1] in "+0(38" and len(value) > 8 and bool(read_phone(value).e164) for value in values) >= SHARE * len(
        values
    ):
        return "phones"
    return None


def month_first(dates: Sequence[str]) -> bool:
    """Whether dates with slashes begin with the month: some can be read only so, and none only the other way."""
    orders = {
        int(found[1]) <= 12
        for date in dates
        if (found := SLASHES.match(date)) and (int(found[1]) > 12) != (int(found[2]) > 12)
    }
    return orders == {True}


def decimal_mark(sums: Sequence[str]) -> str:
    """Returns the decimal mark that sums show: 1.234,56 and 12,5 have a comma. Empty where they show none, or both."""
    marks = {found[1] for text in sums if (found := DECIMALS.search(text))}
    return marks.pop() if len(marks) == 1 else ""


def digest(mapping: ColumnMapping) -> str:
    """Returns the same for equal mappings: msgspec leaves a default out only if it is the very same object."""
    others = {one.name: value for one in fields(mapping) if (value := getattr(mapping, one.name)) != one.default}
    return sha256(msgspec.json.encode(ColumnMapping(**others), order="deterministic")).hexdigest()[:16]
