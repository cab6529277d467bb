"""An archive's manifest: which files there are, what each holds, and that nothing is missing between them."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import msgspec

from crm.errors import Broken
from crm.topics import TOPICS

NAME = "manifest.json"
ABOUT = (
    "Kafka records as Avro object container files, a folder a topic and partition. registry.json has the schemas of "
    "the values. Personal data and secrets of connections are inside. `crm archive verify` checks it, "
    "`crm archive load` puts it into an empty Kafka."
)
COMPACTED = {t.name for t in TOPICS.values() if t.config.get("cleanup.policy") == "compact"}
Partition = tuple[str, int]  # topic and partition


class File(msgspec.Struct, frozen=True):
    """One container file. Its offsets are dense unless the topic is compacted."""

    path: str  # in the archive's folder
    topic: str
    partition: int
    first: int  # offsets
    last: int
    count: int
    first_position: int | None  # in the journal
    last_position: int | None  # the highest
    size: int  # bytes
    sha256: str
    last_record: str  # SHA-256 of the last record's Avro body: whether a Kafka is the one that was archived
    schema_ids: list[int]


class Manifest(msgspec.Struct):
    """All files, in the order they were written."""

    about: str = ABOUT
    format: int = 1
    files: list[File] = []

    def by_partition(self) -> dict[Partition, list[File]]:
        """The files of each partition in the order of their offsets."""
        ordered = sorted(self.files, key=lambda file: (file.topic, file.partition, file.first))
        return {place: list(files) for place, files in groupby(ordered, lambda file: (file.topic, file.partition))}


def read(folder: Path) -> Manifest:
    """Raises Broken when there is none."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise Broken(f"{folder} has no {NAME}: it is no archive. `crm archive {folder}` makes one.") from None
    except msgspec.DecodeError as error:
        raise Broken(f"{folder / NAME} cannot be read: {error}. Take it from another copy of the archive.") from None


def write(folder: Path, manifest: Manifest) -> None:
    put(folder / NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def put(path: Path, content: bytes) -> None:
    """Whole or not at all, whatever dies."""
    partial = path.with_suffix(".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Names that were given in it are on the disk afterwards."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def gaps(manifest: Manifest) -> list[str]:
    """A sentence for each file that is missing between others or at the beginning, as far as the manifest tells."""
    missing = []
    for (topic, partition), files in manifest.by_partition().items():
        if topic in COMPACTED:
            continue
        following = 0
        for file in files:
            if file.first != following:
                missing.append(f"{topic}/{partition}: offsets {following} to {file.first - 1} are in no file.")
            following = file.last + 1
    return missing


def damaged(folder: Path, file: File) -> str | None:
    """What is wrong with the file's bytes; None when they are those that were written."""
    path = folder / file.path
    try:
        with path.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            if size != file.size:
                return f"{file.path} has {size:,} bytes instead of {file.size:,}."
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{file.path} is missing."
    return None if digest == file.sha256 else f"{file.path} was changed: its SHA-256 is another."


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """One writer at a time; the kernel lets go of it however that one ends."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Broken(f"Another `crm archive` works on {folder}. Nothing was changed; wait for it.") from None
    else:
        yield
    finally:
        os.close(handle)
