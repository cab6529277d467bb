"""Rows that a process of its own reads are those that this one would read, and what goes wrong there is said here."""

import asyncio
import dataclasses
import os
import pickle
import signal
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from msgspec.structs import replace

from crm.envelope import Fact
from services.imports import ahead
from services.imports.ahead import CUT_OFF, chunks_of
from services.imports.mapping import ColumnMapping, digest
from services.imports.reading import Read, Reading
from services.tables.unreadable import Unreadable
from tests.support.imports import opened

CONTACTS = "Код,ПІБ,Телефон,Примітка\n1,Олена,067 111 22 33,=1+1\n2,,,\n3,Ivan,050,a,b,c\n4,Марія,093 1112233,x\n"
DEALS = 'Угода,Сума,Етап\nВікна,"1,50",new\nДвері,багато,won\n'
OBJECTS = "Код,Назва\nA1,Стіл\n,Стілець\n"
CARDS = "BEGIN:VCARD\nVERSION:3.0\nFN:Олена\nTEL:0671112233\nEND:VCARD\nBEGIN:VCARD\nFN:Ivan\n"
PAGE = "<html><table><tr><th>ПІБ</th><th>Телефон</th></tr><tr><td>Олена</td><td>0671112233</td></tr></table></html>"


async def all_of(reading: Reading, size: int) -> list[Read]:
    return [read for chunk in [one async for one in chunks_of(reading, size)] for read in chunk]


def plain(read: Read) -> Any:
    """A row as it can be compared: each reading has its own moment of arrival."""
    if not isinstance(read.fact, Fact):
        return read.row, type(read.fact), str(read.fact)
    return read.row, replace(read.fact, meta=replace(read.fact.meta, recorded_at=0))


@pytest.mark.parametrize(
    ("content", "options"),
    [(CONTACTS, {}), (DEALS, {}), (OBJECTS, {"record": "product"}), (CARDS, {}), (PAGE, {})],
    ids=["contacts", "deals", "objects", "cards", "page"],
)
def test_the_other_process_reads_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, options: dict[str, str]
) -> None:
    reading = opened(tmp_path, content, **options)
    here = [plain(read) for read in reading.rows()]
    monkeypatch.setattr(ahead, "SMALL", 0)
    assert [plain(read) for read in asyncio.run(all_of(reading, 2))] == here


def test_what_cannot_be_read_behind_good_rows_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "SMALL", 0)
    with pytest.raises(Unreadable, match=r"^It is cut\. Send it again\.$") as raised:
        asyncio.run(all_of(opened_with(tmp_path, Unreadable("It is cut.", "Send it again.")), 2))
    assert (raised.value.why, raised.value.what_to_do) == ("It is cut.", "Send it again.")
    with pytest.raises(RuntimeError, match=r"^KeyError\('x'\)$"):
        asyncio.run(all_of(opened_with(tmp_path, KeyError("x")), 2))


def opened_with(folder: Path, error: Exception) -> Reading:
    reading = opened(folder, CONTACTS)
    return dataclasses.replace(reading, table=dataclasses.replace(reading.table, rows=partial(raises, error)))


def raises(error: Exception) -> Any:
    raise error


def test_a_process_that_is_killed_is_read_again_and_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An OSError has the role begin again; a RuntimeError would have ended the import."""
    monkeypatch.setattr(ahead, "SMALL", 0)
    reading = opened(tmp_path, "Код,ПІБ\n" + "".join(f"{n},Олена {n}\n" for n in range(20_000)))

    async def test() -> None:
        async with aclosing(chunks_of(reading, 100)) as chunks:
            assert len(await anext(chunks)) == 100
            (other,) = [one for one in psutil.Process().children() if "services.imports.ahead" in one.cmdline()]
            os.kill(other.pid, signal.SIGKILL)
            with pytest.raises(OSError, match=CUT_OFF):
                async for _ in chunks:
                    pass
        assert not [one for one in psutil.Process().children() if "services.imports.ahead" in one.cmdline()]

    asyncio.run(test())


def test_equal_mappings_have_one_name() -> None:
    """A mapping that had been sent to another process, or whose policy a client had said in so many words, named its
    rows otherwise: the same row was two facts."""
    mapping = ColumnMapping("contact", "file", {"Код": "key"})
    said = "".join(["up", "date"])  # equal to the default, and another object
    assert digest(ColumnMapping("contact", "file", {"Код": "key"}, existing=said)) == digest(mapping)
    assert digest(pickle.loads(pickle.dumps(mapping))) == digest(mapping) == "f538040170fb2a41"
