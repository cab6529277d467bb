"""One record out of an archive, found by its place alone."""

from pathlib import Path

import pytest

from crm.adapters.archive import container
from crm.adapters.archive.single import record
from crm.adapters.kafka.fact_reads import archived
from crm.errors import Broken, NotYet
from tests.support.archives import FORMS_1, FRAME, form, write

TOPIC, PARTITION = FORMS_1


def test_a_record_is_found_wherever_in_its_file_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "BLOCK", 50)  # several blocks a file
    write(tmp_path, FORMS_1, [form(n) for n in range(5)], [form(n) for n in range(5, 9)])
    for offset in range(9):
        found = record(tmp_path, TOPIC, PARTITION, offset)
        assert found and (found.offset, found.value) == (offset, FRAME + bytes([offset]))
    assert record(tmp_path, TOPIC, PARTITION, 9) is None
    assert record(tmp_path, TOPIC, PARTITION + 1, 0) is None


def test_offsets_that_a_compacted_topic_lacks_are_not_counted(tmp_path: Path) -> None:
    write(tmp_path, ("crm.connections", 0), [form(0), form(1), form(7)])
    found = record(tmp_path, "crm.connections", 0, 7)
    assert found and found.offset == 7
    assert record(tmp_path, "crm.connections", 0, 3) is None


def test_a_changed_file_is_said_and_not_believed(tmp_path: Path) -> None:
    (file,) = write(tmp_path, FORMS_1, [form(0)]).files
    (tmp_path / file.path).write_bytes(b"Obj")
    with pytest.raises(Broken, match=r"is damaged\. .* has 3 bytes instead of .*`crm archive verify` checks all"):
        record(tmp_path, TOPIC, PARTITION, 0)


def test_where_a_fact_would_be_is_said(tmp_path: Path) -> None:
    missing, place = NotYet("Kafka does not have it."), (TOPIC, PARTITION, 1)
    assert str(archived(None, place, missing)).endswith("may have it: --archive FOLDER, or CRM_ARCHIVE.")
    assert f"{tmp_path} holds no archive." in str(archived(tmp_path, place, missing))
    write(tmp_path, FORMS_1, [form(0)])
    assert "does not have it either" in str(archived(tmp_path, place, missing))
    assert archived(tmp_path, (TOPIC, PARTITION, 0), missing) == form(0).value
