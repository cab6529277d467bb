"""Exports on a schedule: a period has one file, and what a schedule says wrongly is a sentence."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from obstore.store import MemoryStore

from crm import zones
from crm.periods import Period
from crm.scalars import Micros
from services.operations.export_schedule import Scheduled, due, path_of, read_schedule
from tests.support.scenarios import SHOP

TEXT = f'to = "out"\n[[export]]\nworkspace = "{SHOP}"\nwhat = "deal"\nfile = "won.xlsx"\n'
LATE = Micros(1_772_487_000_000_000)  # 2026-03-02 21:30 UTC, which is 23:30 in Kyiv and the 3rd in Tokyo


def kyiv(_: object) -> ZoneInfo:
    return zones.zone("Europe/Kyiv")


@pytest.mark.parametrize(
    ("every", "name"),
    [
        (Period.HOUR, "won-2026-03-02T23.xlsx"),
        (Period.DAY, "won-2026-03-02.xlsx"),
        (Period.WEEK, "won-2026-03-02.xlsx"),
        (Period.MONTH, "won-2026-03-01.xlsx"),
    ],
)
def test_a_file_is_named_by_its_period(every: Period, name: str) -> None:
    one = Scheduled(SHOP, "deal", "won.xlsx", every)
    assert path_of(one, kyiv(SHOP), LATE) == f"{SHOP}/{name}"
    if every is Period.DAY:
        assert path_of(one, zones.zone("Asia/Tokyo"), LATE).endswith("2026-03-03.xlsx")


def test_what_is_there_is_not_due(tmp_path: Path) -> None:
    file, store = tmp_path / "exports.toml", MemoryStore()
    file.write_text(TEXT)
    schedule = read_schedule(file)
    ((one, path),) = asyncio.run(due(schedule, store, kyiv, LATE))
    assert (one.what, one.every, path) == ("deal", Period.DAY, f"{SHOP}/won-2026-03-02.xlsx")
    store.put(path, b"x")
    assert asyncio.run(due(schedule, store, kyiv, LATE)) == []
    assert len(asyncio.run(due(schedule, store, kyiv, Micros(LATE + 3_600_000_000)))) == 1


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (TEXT.replace('"deal"', '"deals"'), "There is no view 'deals'."),
        (TEXT.replace("won.xlsx", "won.doc"), "`file` is a name that ends with .csv, .xlsx, .parquet, not 'won.doc'."),
        (TEXT.replace("won.xlsx", "../won.csv"), "`file` is a name that ends with"),
        (f'{TEXT}every = "minute"', "Invalid enum value 'minute'"),
        (TEXT.replace("what", "view"), "unknown field `view`"),
        ("to = ", "Invalid value"),
    ],
)
def test_a_schedule_that_is_wrong_is_a_sentence(tmp_path: Path, wrong: str, why: str) -> None:
    file = tmp_path / "exports.toml"
    file.write_text(wrong)
    with pytest.raises(ValueError, match=r"exports\.toml cannot be read") as raised:
        read_schedule(file)
    assert why in str(raised.value) and str(raised.value).endswith("Nothing is exported by it.")
