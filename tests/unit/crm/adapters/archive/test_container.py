"""Container files: nothing of a record is lost, any Avro library reads them, nobody else may."""

from io import BytesIO
from pathlib import Path

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.adapters.archive import container
from crm.adapters.archive.container import ArchivedRecord, Container, encode, long, read

STRANGE = [
    ArchivedRecord(0, 1_700_000_000_000, b"key", b"\x00\x00\x00\x00\x05body", [("ce_id", b"1"), ("position", b"0")]),
    ArchivedRecord(1, -1, None, None),
    ArchivedRecord(5, 0, b"", b"", [("twice", b"1"), ("twice", None), ("", b"")]),
    ArchivedRecord(6, 1 << 62, b"k" * 4095, b"v" * 4096, [("ключ", b"x" * 70_000)]),
]


def written(path: Path, records: list[ArchivedRecord]) -> Path:
    file = Container(path, "crm.journal", 7)
    file.add(records)
    file.finish()
    return path


def test_nothing_of_a_record_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "BLOCK", 10)  # so that each record has a block of its own
    assert list(read(written(tmp_path / "a.avro", STRANGE))) == [
        record._replace(headers=list(record.headers)) for record in STRANGE
    ]


def test_any_avro_library_reads_it_and_nobody_else_may(tmp_path: Path) -> None:
    path = written(tmp_path / "a.avro", STRANGE[:1])
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        assert {name: reader.metadata[name] for name in ("avro.codec", "potik.topic", "potik.partition")} == {
            "avro.codec": "deflate",
            "potik.topic": "crm.journal",
            "potik.partition": "7",
        }
        assert list(reader) == [
            {
                "offset": 0,
                "timestamp": 1_700_000_000_000,
                "key": b"key",
                "value": b"\x00\x00\x00\x00\x05body",
                "headers": [{"key": "ce_id", "value": b"1"}, {"key": "position", "value": b"0"}],
            }
        ]
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_are_avros(number: int) -> None:
    expected = BytesIO()
    fastavro.schemaless_writer(expected, {"type": "long"}, number)
    assert long(number) == expected.getvalue()


def test_a_record_is_what_avro_says_it_is() -> None:
    for record in STRANGE:
        expected = BytesIO()
        headers = [{"key": key, "value": value} for key, value in record.headers]
        fastavro.schemaless_writer(
            expected, fastavro.parse_schema(container.SCHEMA), record._asdict() | {"headers": headers}
        )
        assert encode(record) == expected.getvalue()
