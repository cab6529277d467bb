"""Each way of breaking a reader is planted once, and gives its sentence; what is safe gives none."""

from pathlib import Path
from typing import Any

import pytest

from crm.contract.evolution import breaks, check, undocumented
from crm.contract.publishing import main, publish, reset
from crm.contract.registry import registered
from crm.errors import Broken
from tests.contract.conftest import Edit, field, record

MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
AGAIN = "Add a field of another name, with a default."


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "Phase", "symbols": list(symbols), **more}


def phone(*fields: dict[str, Any], name: str = "Phone", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "crm", "doc": "A phone.", "fields": list(fields), **more}


TITLE = field("title", "string")
NUMBER = field("number", "long")
E164 = field("e164", "string")
BROKEN = {
    "a field is removed": (
        record(TITLE, NUMBER),
        record(NUMBER),
        "Deal.title: the field is gone, but readers ask for it. Keep it, if only empty.",
    ),
    "a field is added without a default": (
        record(NUMBER),
        record(NUMBER, TITLE),
        "Deal.title: a new field without a default: no older record is readable. Give one.",
    ),
    "a type changes": (
        record(NUMBER),
        record(field("number", "string")),
        f"Deal.number: the type was long and is now string. Types never change. {AGAIN}",
    ),
    "a type grows: today's reader is content, yesterday's is not": (
        record(field("number", "int")),
        record(NUMBER),
        f"Deal.number: the type was int and is now long. Types never change. {AGAIN}",
    ),
    "a union gets a branch": (
        record(field("number", ["null", "long"])),
        record(field("number", ["null", "long", "string"])),
        f"Deal.number: the type was null or long and is now null or long or string. Types never change. {AGAIN}",
    ),
    "a field becomes nullable": (
        record(NUMBER),
        record(field("number", ["null", "long"])),
        f"Deal.number: the type was long and is now null or long. Types never change. {AGAIN}",
    ),
    "a logicalType changes": (
        record(field("at", MICROS)),
        record(field("at", MILLIS)),
        "Deal.at: the logicalType was timestamp-micros and is now timestamp-millis. The same bytes would mean "
        f"something else, and Avro's own checker does not see it. {AGAIN}",
    ),
    "a logicalType goes": (
        record(field("id", {"type": "string", "logicalType": "uuid"})),
        record(field("id", "string")),
        "Deal.id: the logicalType was uuid and is now none. The same bytes would mean something "
        f"else, and Avro's own checker does not see it. {AGAIN}",
    ),
    "a logicalType changes inside a union": (
        record(field("at", ["null", MICROS])),
        record(field("at", ["null", MILLIS])),
        "Deal.at: the type was null or long (timestamp-micros) and is now null or long (timestamp-millis). "
        f"Types never change. {AGAIN}",
    ),
    "a field is renamed": (
        record(TITLE),
        record(field("heading", "string")),
        'Deal.title: renamed to heading without an alias. Keep the old name, or add "aliases": ["title"] to heading.',
    ),
    "a record is renamed": (
        record(TITLE),
        record(TITLE, name="Order"),
        "Deal: the record Deal was renamed to Order without an alias. "
        'Keep the old name, or add "aliases": ["Deal"] to Order.',
    ),
    "a record inside is renamed": (
        record(field("phone", phone(E164))),
        record(field("phone", phone(E164, name="Number"))),
        "Deal.phone: the record Phone was renamed to Number without an alias. "
        'Keep the old name, or add "aliases": ["Phone"] to Number.',
    ),
    "an enum symbol is removed": (
        record(field("phase", enum("OPEN", "WON"))),
        record(field("phase", enum("OPEN"))),
        "Deal.phase: the symbol WON is gone, but it lies in the log. Keep it.",
    ),
    "an enum symbol is added, and yesterday's reader has no default": (
        record(field("phase", enum("OPEN"))),
        record(field("phase", enum("OPEN", "WON"))),
        "Deal.phase: the symbol WON is new, and the enum had no default for readers that do not know it. "
        "Give the enum a default first and add the symbol in a later release.",
    ),
    "a default is removed": (
        record(field("title", "string", default="")),
        record(TITLE),
        "Deal.title: the default is gone, so records from before this field cannot be read. Put it back.",
    ),
    "a default changes": (
        record(field("title", "string", default="")),
        record(field("title", "string", default="?")),
        'Deal.title: the default was "" and is now "?". '
        "Records from before this field would read differently. Put it back.",
    ),
    "deep inside arrays, maps and unions": (
        record(field("phones", {"type": "array", "items": {"type": "map", "values": ["null", phone(E164, NUMBER)]}})),
        record(field("phones", {"type": "array", "items": {"type": "map", "values": ["null", phone(E164)]}})),
        "Deal.phones[]{}.number: the field is gone, but readers ask for it. Keep it, if only empty.",
    ),
    "inside a record that is only referred to by name the second time": (
        record(field("first", phone(E164)), field("second", "crm.Phone")),
        record(field("first", "string"), field("second", phone(NUMBER))),
        f"Deal.first: the type was Phone and is now string. Types never change. {AGAIN}",
        "Deal.second.e164: the field is gone, but readers ask for it. Keep it, if only empty.",
        "Deal.second.number: a new field without a default: no older record is readable. Give one.",
    ),
}
SAFE = {
    "nothing": (record(TITLE, NUMBER), record(TITLE, NUMBER)),
    "a field is added with a default": (record(NUMBER), record(NUMBER, field("title", "string", default=""))),
    "a field is renamed with an alias": (record(TITLE), record(field("heading", "string", aliases=["title"]))),
    "a record is renamed with an alias": (record(TITLE), record(TITLE, name="Order", aliases=["crm.Deal"])),
    "a default is given": (record(TITLE), record(field("title", "string", default=""))),
    "a doc is better": (record(TITLE), record({**TITLE, "doc": "For people."})),
    "fields change places": (record(TITLE, NUMBER), record(NUMBER, TITLE)),
    "an enum with a default gets a symbol": (
        record(field("phase", enum("OPEN", default="OPEN"))),
        record(field("phase", enum("OPEN", "WON", default="OPEN"))),
    ),
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_change_that_breaks_readers_gives_its_sentence(way: str) -> None:
    old, new, *sentences = BROKEN[way]
    assert breaks(old, new) == sentences  # type: ignore[arg-type]  # two records, then text


@pytest.mark.parametrize("way", SAFE)
def test_a_safe_change_gives_none(way: str) -> None:
    assert breaks(*SAFE[way]) == []


def test_each_record_and_field_must_say_what_it_is() -> None:
    silent = record({"name": "title", "type": "string"}, NUMBER, doc=" ")
    assert undocumented(silent) == [
        "Deal: no doc. Say in one sentence what it is.",
        "Deal.title: no doc. Say in one sentence what it is.",
    ]


def test_the_contract_holds() -> None:
    assert check() == []


def test_a_schema_without_a_doc_is_found(contract: Path, edit: Edit) -> None:
    edit("shared/phone", ', "doc": "As it was given."', "")
    assert check(contract)[0] == "Phone.text: no doc. Say in one sentence what it is."


def test_a_broken_schema_is_found_and_not_published(contract: Path, edit: Edit) -> None:
    before = (contract / "registry.json").read_bytes()
    edit("events/deal_stage_moved", '"name": "stage", "type": "string"', '"name": "stage", "type": "long"')
    sentence = f"DealStageMoved.stage: the type was string and is now long. Types never change. {AGAIN}"
    assert check(contract)[:2] == [
        sentence,
        "DealStageMoved: changed and not published. Run make events and commit what it writes.",
    ]
    with pytest.raises(Broken) as refusal:
        publish(contract)
    assert str(refusal.value) == f"{sentence}\nNothing was published."
    assert (contract / "registry.json").read_bytes() == before


def test_a_record_that_is_gone_is_found(contract: Path) -> None:
    (contract / "events" / "deal_paid.avsc").unlink()
    assert check(contract) == [
        "DealPaid: the record is gone, but it lies in the log. Keep its schema; nobody need write it."
    ]


def test_golden_records_that_are_read_otherwise_are_found(contract: Path) -> None:
    ids = {entry.name: entry.id for entry in registered(contract)}
    assigned, moved, noted, parked = (
        ids[n] for n in ("DealAssigned", "DealStageMoved", "DeliveryNoted", "PaymentParked")
    )

    def spoil(file: str, old: str, new: str) -> None:
        path = contract / "golden" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    (contract / "golden" / f"{assigned}_DealAssigned.json").unlink()
    spoil(f"{moved}_DealStageMoved.json", "DealStageMoved.stage: Їжак", "DealStageMoved.stage: Жук")
    spoil(f"{noted}_DeliveryNoted.json", f'"hex": "00{noted:08x}48', f'"hex": "00{noted:08x}4a')
    spoil(f"{parked}_PaymentParked.json", f'"hex": "00{parked:08x}', f'"hex": "00{parked + 1:08x}')
    found = sorted(check(contract))
    assert found[0] == (
        f"DealAssigned {assigned}: its golden records are missing. "
        f"Restore schemas/avro/golden/{assigned}_DealAssigned.json."
    )
    assert found[1] == f"DealStageMoved {moved}: today's schema reads its full golden record as something else."
    assert found[2].startswith(f"DeliveryNoted {noted}: today's schema cannot read its full golden record: ")
    assert found[3] == f"PaymentParked {parked}: today's schema reads its full golden record as something else."
    assert len(found) == 4


def test_a_safe_change_gets_the_next_id_and_golden_records_and_the_older_ones_are_still_read(
    contract: Path, edit: Edit
) -> None:
    edit(
        "events/deal_stage_moved",
        '"fields": [',
        '"fields": [{"name": "mood", "type": "string", "doc": "Of the owner.", "default": "gay"},',
    )
    known = len(registered(contract))
    assert publish(contract) == ["DealStageMoved"]
    newest = registered(contract)[-1]
    assert (newest.id, newest.name, newest.current) == (known + 1, "DealStageMoved", True)
    assert [e.current for e in registered(contract) if e.name == "DealStageMoved"][-2:] == [False, True]
    assert (contract / "golden" / f"{known + 1}_DealStageMoved.json").exists()
    assert check(contract) == []
    assert publish(contract) == []


def test_ids_are_assigned_again_only_before_the_first_release(
    contract: Path, edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("events/deal_stage_moved", '"name": "stage", "type": "string"', '"name": "stage", "type": "long"')
    main(["--reset"], contract)
    assert capsys.readouterr().out.split() == [entry.name for entry in registered(contract)]
    assert check(contract) == []

    (contract / "RELEASED").write_text("0.1.0\n")
    before = (contract / "registry.json").read_bytes()
    with pytest.raises(SystemExit) as refusal:
        main(["--reset"], contract)
    assert refusal.value.code == (
        "Ids were released: logs contain them, and they cannot be assigned again. Nothing was changed."
    )
    with pytest.raises(Broken):
        reset(contract)
    assert (contract / "registry.json").read_bytes() == before
