"""How far the archive is, of its manifest and the journal's heads."""

from pathlib import Path

from api.schema.processing import archived
from crm.adapters.archive import manifest
from crm.adapters.archive.manifest import File, Manifest
from crm.topics import JOURNAL


def file(topic: str, partition: int, last_position: int | None) -> File:
    return File(f"{topic}/{partition}", topic, partition, 0, 9, 10, None, last_position, 100, "ab", "cd", [1])


def test_what_the_archive_lacks_is_counted_by_position(tmp_path: Path) -> None:
    files = [
        file(JOURNAL.name, 0, 9),
        file(JOURNAL.name, 0, 19),
        file(JOURNAL.name, 1, 4),
        file("crm.intake.forms", 0, None),
    ]
    manifest.write(tmp_path, Manifest(files=files))
    state = archived(tmp_path, {0: 25, 1: 5, 2: 3})
    assert (state.files, state.records, state.size, state.missing, state.problem) == (4, 40, 400, 5 + 0 + 3, None)


def test_a_folder_that_is_no_archive_says_so(tmp_path: Path) -> None:
    state = archived(tmp_path, {0: 25})
    assert (state.files, state.missing) == (0, 25)
    assert state.problem and "it is no archive" in state.problem
