"""`crm archive verify` finds each damage that is planted, and nothing in a whole archive."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from crm.adapters.archive import manifest
from crm.adapters.archive.manifest import Manifest
from crm.errors import Broken
from services.operations.archive.verifying import verify
from tests.support.archives import FORMS_1, FRAME, JOURNAL_0, event, form, write

FIRST = "crm.intake.forms/01/00000000000000000000.avro"
SECOND = "crm.intake.forms/01/00000000000000000002.avro"
THIRD = "crm.intake.forms/01/00000000000000000003.avro"


def checked(folder: Path) -> list[str]:
    return verify(folder, lambda _: None)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    write(tmp_path, FORMS_1, [form(0), form(1)], [form(2)], [form(3), form(4)])
    return tmp_path


def cut(archive: Path) -> None:
    content = (archive / SECOND).read_bytes()
    (archive / SECOND).write_bytes(content[:-1])


def flip(archive: Path) -> None:
    content = bytearray((archive / SECOND).read_bytes())
    content[-20] ^= 1
    (archive / SECOND).write_bytes(content)


def lose(archive: Path) -> None:
    (archive / SECOND).unlink()


def forget(archive: Path) -> None:
    known = manifest.read(archive)
    manifest.write(archive, Manifest(files=[file for file in known.files if file.path != SECOND]))


def miscount(archive: Path) -> None:
    known = manifest.read(archive)
    files = [msgspec.structs.replace(file, count=7) if file.path == SECOND else file for file in known.files]
    manifest.write(archive, Manifest(files=files))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (cut, f"{SECOND} has {{less:,}} bytes instead of {{size:,}}."),
        (flip, f"{SECOND} was changed: its SHA-256 is another."),
        (lose, f"{SECOND} is missing."),
        (forget, "crm.intake.forms/1: offsets 2 to 2 are in no file."),
        (miscount, f"{SECOND} has 1 records up to 2; the manifest says 7 to 2."),
    ],
)
def test_planted_damage_is_found(archive: Path, damage: Callable[[Path], None], problem: str) -> None:
    assert checked(archive) == []
    size = manifest.read(archive).files[1].size
    damage(archive)
    assert checked(archive) == [problem.format(size=size, less=size - 1)]


def test_a_file_in_anothers_place_is_found(archive: Path) -> None:
    """Its checksum may be right, as the manifest names it: the offsets inside are not."""
    known = manifest.read(archive)
    first, second, third = known.files
    wrong = msgspec.structs.replace(second, path=first.path, sha256=first.sha256, size=first.size)
    manifest.write(archive, Manifest(files=[first, wrong, third]))
    assert checked(archive) == [f"{FIRST}: offset 0 follows 1."]


def test_repeats_at_the_end_are_the_journals_way_and_gaps_are_not(tmp_path: Path) -> None:
    """A relay that was frozen may publish a batch again: positions go back, and are never left out."""
    known = write(tmp_path, JOURNAL_0, [event(0, 0), event(1, 1), event(2, 0)], [event(3, 1), event(4, 2)])
    assert [(file.first_position, file.last_position) for file in known.files] == [(0, 1), (1, 2)]
    assert checked(tmp_path) == []
    write(tmp_path, JOURNAL_0, [event(5, 4)])
    assert checked(tmp_path) == ["crm.journal/00/00000000000000000005.avro: position 4 follows 2 at offset 5."]


def test_a_schema_of_a_newer_version_is_reported(tmp_path: Path) -> None:
    write(tmp_path, FORMS_1, [form(0)._replace(value=b"\x00\x00\x00\x27\x0f")])
    assert checked(tmp_path) == ["Schemas 9999 are not in the registry: a newer version of Potik wrote them."]


def test_offsets_that_kafka_left_out_are_refused_but_in_a_compacted_topic(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="Kafka skipped offsets after -1"):
        write(tmp_path, FORMS_1, [form(0), form(2)])
    known = write(tmp_path, ("crm.connections", 0), [form(3), form(7)._replace(value=None)])
    assert [(file.first, file.last, file.count, file.schema_ids) for file in known.files] == [(3, 7, 2, [FRAME[-1]])]
    assert checked(tmp_path) == []


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with (
        manifest.held(tmp_path),
        pytest.raises(Broken, match="Another `crm archive` works on"),
        manifest.held(tmp_path),
    ):
        raise AssertionError("both hold it")


def test_a_folder_without_a_manifest_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"has no manifest\.json: it is no archive"):
        checked(tmp_path)
