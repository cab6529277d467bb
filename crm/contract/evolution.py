"""What a schema may become: a sentence for each way in which a change breaks a reader (docs/contract.md has the rules).

Two readers count: ours, with today's schema and a log that is kept forever; and a stranger's, with yesterday's schema
and the records that we write today. `python -m crm.contract.evolution` checks the whole contract and exits 1 if it is
broken.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crm.contract.generate import BASES, SCHEMAS, sources
from crm.contract.golden import misread
from crm.contract.registry import definitions, newest, registered, resolved, todays, unpublished

Avro = Any  # a schema as JSON gives it: text, list or dict
AGAIN = "Add a field of another name, with a default."


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a change of one record breaks: "Record.path.to.field: what happened, why it hurts. What to do." """
    return list(Comparison(definitions(old), definitions(new)).of(old["name"], old, new))


class Comparison:
    """Walks two shapes of one record side by side; each named record inside is looked up where it is referred to."""

    def __init__(self, old: dict[str, Avro], new: dict[str, Avro]):
        self.old, self.new = old, new

    def of(self, path: str, was: Avro, now: Avro) -> Iterator[str]:
        was, now = resolved(was, self.old), resolved(now, self.new)
        match was, now:
            case {"type": "record"}, {"type": "record"}:
                yield from self.records(path, was, now)
            case {"type": "enum"}, {"type": "enum"}:
                yield from enums(path, was, now)
            case {"type": "array", "items": before}, {"type": "array", "items": after}:
                yield from self.of(f"{path}[]", before, after)
            case {"type": "map", "values": before}, {"type": "map", "values": after}:
                yield from self.of(f"{path}{{}}", before, after)
            case [*before], [*after] if list(map(described, before)) == list(map(described, after)):
                for branch, other in zip(before, after, strict=True):
                    yield from self.of(path, branch, other)
            case _ if plain(was) == plain(now) and logical(was) != logical(now):
                yield (
                    f"{path}: the logicalType was {logical(was)} and is now {logical(now)}. The same bytes would mean "
                    f"something else, and Avro's own checker does not see it. {AGAIN}"
                )
            case _ if described(was) != described(now):
                yield f"{path}: the type was {described(was)} and is now {described(now)}. Types never change. {AGAIN}"

    def records(self, path: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
        if was["name"] != now["name"] and was["name"] not in bare_aliases(now):
            yield (
                f"{path}: the record {was['name']} was renamed to {now['name']} without an alias. "
                f'Keep the old name, or add "aliases": ["{was["name"]}"] to {now["name"]}.'
            )
        before = {field["name"]: field for field in was["fields"]}
        after = {alias: f for f in now["fields"] for alias in (*f.get("aliases", ()), f["name"])}
        gone = {name: field for name, field in before.items() if name not in after}
        fresh = [f for f in now["fields"] if not {f["name"], *f.get("aliases", ())} & before.keys()]
        for name, field in gone.items():
            heir = next((f for f in fresh if described(f["type"]) == described(field["type"])), None)
            if heir:
                fresh.remove(heir)
                yield (
                    f"{path}.{name}: renamed to {heir['name']} without an alias. "
                    f'Keep the old name, or add "aliases": ["{name}"] to {heir["name"]}.'
                )
            else:
                yield f"{path}.{name}: the field is gone, but readers ask for it. Keep it, if only empty."
        for field in fresh:
            if "default" not in field:
                yield f"{path}.{field['name']}: a new field without a default: no older record is readable. Give one."
        for name, field in before.items():
            if name in after:
                yield from self.of(f"{path}.{name}", field["type"], after[name]["type"])
                yield from defaults(f"{path}.{name}", field, after[name])


def enums(path: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    for symbol in was["symbols"]:
        if symbol not in now["symbols"]:
            yield f"{path}: the symbol {symbol} is gone, but it lies in the log. Keep it."
    for symbol in now["symbols"]:
        if symbol not in was["symbols"] and "default" not in was:
            yield (
                f"{path}: the symbol {symbol} is new, and the enum had no default for readers that do not know it. "
                f"Give the enum a default first and add the symbol in a later release."
            )


def defaults(path: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    if "default" in was and "default" not in now:
        yield f"{path}: the default is gone, so records from before this field cannot be read. Put it back."
    elif "default" in was and was["default"] != now["default"]:
        yield (
            f"{path}: the default was {json.dumps(was['default'])} and is now {json.dumps(now['default'])}. "
            f"Records from before this field would read differently. Put it back."
        )


def bare_aliases(avro: dict[str, Any]) -> set[str]:
    return {alias.removeprefix("crm.") for alias in avro.get("aliases", ())}


def plain(avro: Avro) -> Avro:
    """A primitive type without what is said about it."""
    return avro["type"] if isinstance(avro, dict) and "items" not in avro and "values" not in avro else avro


def logical(avro: Avro) -> str:
    return avro.get("logicalType", "none") if isinstance(avro, dict) else "none"


def described(avro: Avro) -> str:
    """A type in words, the same for a record and a reference to it."""
    match avro:
        case [*branches]:
            return " or ".join(map(described, branches))
        case {"type": "array", "items": inner}:
            return f"array of {described(inner)}"
        case {"type": "map", "values": inner}:
            return f"map of {described(inner)}"
        case {"type": "record" | "enum" | "fixed" as kind, "name": name}:
            return str(name) if kind != "fixed" else f"{name} of {avro['size']} bytes"
        case {"logicalType": name, "type": kind}:
            return f"{kind} ({name})"
        case {"type": kind}:
            return str(kind)
    return str(avro).removeprefix("crm.")


def undocumented(schema: dict[str, Any]) -> list[str]:
    """The house's own rule: each record and each field says in words what it is."""
    silent = [f"{schema['name']}.{f['name']}" for f in schema["fields"] if not f.get("doc", "").strip()]
    if not schema.get("doc", "").strip():
        silent.insert(0, schema["name"])
    return [f"{what}: no doc. Say in one sentence what it is." for what in silent]


def check(root: Path = SCHEMAS) -> list[str]:
    """Everything that is wrong with the contract on disk, as sentences; empty when it holds."""
    entries, today = registered(root), todays(root)
    return [
        *(sentence for folder in BASES for schema in sources(folder, root) for sentence in undocumented(schema)),
        *broken(root),
        *(f"{n}: changed and not published. Run make events and commit what it writes." for n in unpublished(root)),
        *(sentence for entry in entries for sentence in misread(entry, today, root)),
    ]


def broken(root: Path = SCHEMAS) -> list[str]:
    """What today's schemas would break, compared with the newest published shape of each name."""
    today = todays(root)
    sentences = []
    for name, schema in newest(registered(root)).items():
        heir = today.get(name) or next((s for s in today.values() if name in bare_aliases(s)), None)
        gone = f"{name}: the record is gone, but it lies in the log. Keep its schema; nobody need write it."
        sentences += breaks(schema, heir) if heir else [gone]
    return sentences


if __name__ == "__main__":
    if sentences := check():
        print("\n".join(sentences))
        sys.exit(1)
    published = registered()
    print(f"contract holds: {len(published)} schemas, {2 * len(published)} golden records")
