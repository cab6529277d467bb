"""Turns a row into a line of POST /facts, named by the file, the row and the mapping: the same row says it once."""

import re
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from crm.delivery import Home
from crm.imports import CONTACT, DEAL
from crm.moments import micros
from crm.money import currency_named, read_sum
from crm.phones import phones_in
from crm.scalars import Micros
from crm.text.dates import moment_in
from crm.text.emails import emails_in
from crm.text.names import agree
from crm.zones import of_workspace
from services.imports.mapping import FIELD, PARTS_OF_A_NAME, UPDATE, ColumnMapping, digest
from services.imports.table import Row
from services.intake.refusals import Refusal

SEPARATORS = re.compile(r"\s*(?::::|\n)\s*")  # Google writes several values of a cell so
HALF_DAY = re.compile(r"\b([0-9]{1,2}):([0-9]{2})(:[0-9]{2})? ?([AaPp])\.?[Mm]\.?$")
SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\b")
SERIAL = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
LONGEST_KEY = 150
OLDEST, AHEAD = 1990, 86_400_000_000  # year; microseconds: as POST /facts has it
MOST_MOMENTS = 10_000  # that are remembered


class Skipped(Struct, frozen=True):
    """A row that says nothing, and why."""

    why: str


class RowReader:
    """Reads the rows of one file, from the first one on: rows without a key of their own get one by what they say and
    what came before them.

    `file`: a digest of its bytes. `at`: when it came, which is the moment of what its rows say unless they tell one.
    """

    def __init__(self, mapping: ColumnMapping, file: str, at: Micros, home: Home) -> None:
        self.mapping, self.file, self.at, self.home = mapping, file, at, home
        self.zone = of_workspace(home.timezone)
        self.named = digest(mapping)
        self.targets = list(mapping.columns.items())
        self.name_parts = [target for target in mapping.columns.values() if target in PARTS_OF_A_NAME]
        self.moments: dict[str, Micros] = {}
        self.keys: dict[int, str] = {}  # by a hash of a key that was made here: whose it is

    def read(self, row: Row) -> bytes | Skipped | Refusal:
        """Returns a line, or why there is none."""
        if row.wrong:
            return Refusal(row.wrong)
        try:
            said = self.said(row)
            fact = self.fact(said)
        except Refusal as refusal:
            return refusal
        if fact is None:
            return Skipped("It says nothing but its key: no name, telephone, e-mail or other value.")
        return msgspec.json.encode({"id": f"{self.file}/{row.number}/{self.named}", **fact})

    def said(self, row: Row) -> dict[str, Any]:
        """Returns the values of a row by target: several where there may be several."""
        found: dict[str, Any] = {"fields": {}}
        for (column, target), cell in zip(self.targets, row.cells, strict=False):
            if not (target and cell):
                continue
            if target.startswith(FIELD):
                found["fields"][target.removeprefix(FIELD)] = cell
            elif target in ("phones", "emails"):
                found.setdefault(target, []).extend(filter(None, SEPARATORS.split(cell)))
            elif target in ("created_at", "changed_at"):
                found[target] = self.moment(column, cell)
            else:
                found[target] = cell
        if (mapped := self.mapping.columns) and "amount" in found:
            column = next(name for name, target in mapped.items() if target == "amount")
            found |= self.sum(column, found.pop("amount"), found.get("currency", ""))
        return found

    def fact(self, said: dict[str, Any]) -> dict[str, Any] | None:
        record = self.mapping.record
        parts = [said.pop(part, "") for part in self.name_parts]  # in the order of their columns
        name = said.pop("name", "") or " ".join(filter(None, parts))
        key, created = said.pop("key", ""), said.pop("created_at", None)
        if not any(value for target, value in said.items() if target not in ("changed_at", "currency")) and not name:
            return None
        said.setdefault("changed_at", self.at)
        if "contact_key" in said:  # HubSpot gives all of a deal's contacts, the first one first
            said["contact_key"] = said["contact_key"].partition(";")[0].strip()
        if created is not None:
            said["occurred_at"] = created
        if len(key) > LONGEST_KEY:
            raise Refusal(f"The key {key[:40]!r} has more than {LONGEST_KEY} characters.")
        if record not in (CONTACT, DEAL):
            if not key:
                raise Refusal("It has no key, by which the object is known.")
            said["changed_at"] = said.pop("occurred_at", None) or said["changed_at"]
            return {"type": "ObjectReported", "object": record, "key": key, **said}
        if name:
            said["name"] = name
        own = {"system": self.mapping.system, "key": key or self.made_key(said, name)}
        if self.mapping.existing != UPDATE:
            own["existing"] = self.mapping.existing
        return {"type": "ContactReported" if record == CONTACT else "DealReported", **own, **said}

    def made_key(self, said: dict[str, Any], name: str) -> str:
        """Returns a key of a row that has none: its e-mail or telephone; of a deal, its title and whose it is. The same
        in a later file, so that it is the same record. Two people with one telephone are two."""
        emails = [address for text in said.get("emails", ()) for address in emails_in(text)]
        phones = [one.e164 for text in said.get("phones", ()) for one in phones_in(text, self.home.country) if one.e164]
        person = next(iter((*emails, *phones)), "")
        if self.mapping.record == CONTACT and person:
            before = self.keys.setdefault(hash(person), name)
            return person if before == name or agree(before, name) is not False else f"{person}/{name.casefold()[:80]}"
        text = [said.get("title", ""), said.get("reference", ""), person, name]
        content = "\n".join(text if any(text) else [f"{one}={said['fields'][one]}" for one in sorted(said["fields"])])
        made = f"row-{sha256(content.encode()).hexdigest()[:24]}"
        if self.mapping.record == CONTACT:
            return made
        count = 1
        while (key := f"{made}-{count}" if count > 1 else made) and hash(key) in self.keys:
            count += 1
        self.keys[hash(key)] = ""
        return key

    def moment(self, column: str, text: str) -> Micros:
        """Raises Refusal. A day stands in many rows."""
        if (known := self.moments.get(text)) is None:
            if len(self.moments) >= MOST_MOMENTS:
                self.moments.clear()
            known = self.moments[text] = self.read_moment(column, text)
        return known

    def read_moment(self, column: str, text: str) -> Micros:
        if SERIAL.fullmatch(text):
            why = "is a day's number of a workbook, which counts from 1900 or from 1904: give the column a date format"
            raise Refusal(f"In {column!r}: {text} {why}.")
        clock = HALF_DAY.sub(lambda m: f"{int(m[1]) % 12 + 12 * (m[4] in 'pP'):02}:{m[2]}{m[3] or ''}", text)
        ordered = SLASHED.sub(self.day_of, clock)
        found: datetime | None = moment_in(ordered, whole=False)
        if found is None:
            raise Refusal(f"In {column!r}: {text[:40]!r} is no date that can be read in one way only.")
        if found.year < OLDEST:
            why = "which must be a mistake: an empty date of a workbook, or a year of two digits, is shown so"
            raise Refusal(f"In {column!r}: {text[:40]!r} is before {OLDEST}, {why}.")
        at = micros(found if found.tzinfo else found.replace(tzinfo=self.zone))
        if at > self.at + AHEAD:
            why = "which must be a mistake: copied into a workbook that counts from 1904, days are four years late"
            raise Refusal(f"In {column!r}: {text[:40]!r} is more than a day ahead, {why}.")
        return at

    def day_of(self, slashed: re.Match[str]) -> str:
        first, second, year = slashed.groups()
        month_first = int(second) > 12 or (self.mapping.month_first and int(first) <= 12)
        month, day = (first, second) if month_first else (second, first)
        return f"{year}-{int(month):02}-{int(day):02}"

    def sum(self, column: str, text: str, currency: str) -> dict[str, Any]:
        """Returns the exact amount and its currency. Raises Refusal."""
        code = currency_named(currency) or self.home.currency
        read = read_sum(text, code)
        if read is None and (mark := self.mapping.decimal):
            read = read_sum(text.replace("." if mark == "," else ",", "").replace(mark, "."), code)
        if read is None:
            raise Refusal(f"In {column!r}: {text[:40]!r} is no sum that can be read in one way only.")
        if currency and read[1] != code:
            raise Refusal(
                f"In {column!r}: {text[:40]!r} is in {read[1]}, and its currency column says {currency[:20]!r}."
            )
        return {"amount_minor": read[0], "currency": currency or read[1]}
