"""Zone rules are those of the pinned `tzdata` package on every machine, whatever its system or a library carries."""

import asyncio
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath

import pytest
from msgspec.structs import replace

from crm.decisions.workspace import hour_in
from crm.engine.workspaces import create_workspace
from crm.errors import Malformed
from crm.events import DealAssigned
from crm.shared import AssignmentRule
from crm.zones import names, zone
from tests.support.scenarios import MINUTE, NOON, SHOP, form, given, shop

NIGHT = AssignmentRule("Night", ("nick",), from_hour=18, to_hour=9, pick="first")
WHOLE_DAY = AssignmentRule("Rest", ("olha",), pick="first")


def micros(*of: int) -> int:
    return int(datetime(*of, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("name", "at", "hour"),
    [
        ("America/Vancouver", (2026, 12, 1, 20), 13),  # stays on summer time since 2026: IANA 2026b and later
        ("Europe/Chisinau", (2026, 3, 29, 0, 30), 2),  # changes at 01:00 UTC as the EU does, not an hour before
        ("Europe/Chisinau", (2026, 10, 25, 0, 30), 3),
        ("Europe/Kyiv", (2026, 12, 1, 20), 22),
        ("Europe/Kiev", (2026, 12, 1, 20), 22),
        ("UTC", (2026, 12, 1, 20), 20),
    ],
)
def test_an_hour_is_the_packages(name: str, at: tuple[int, int, int, int], hour: int) -> None:
    """tzdata 2026.6. Debian's files of 2025 give 12, 3, 2 for the first three; so does polars 2.1.0."""
    assert hour_in(name, micros(*at)) == hour


def test_another_machines_files_change_nothing(tmp_path: Path) -> None:
    """The bug: `zoneinfo` prefers the system's files, so two machines gave one lead to two people."""
    with files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").open("rb") as tokyo:
        (tmp_path / "Europe").mkdir()
        (tmp_path / "Europe" / "Kyiv").write_bytes(tokyo.read())
    reset_tzpath([tmp_path])
    ZoneInfo.clear_cache()
    zone.cache_clear()
    try:
        assert datetime(2026, 12, 1, 20, tzinfo=UTC).astimezone(ZoneInfo("Europe/Kyiv")).hour == 5, "it is planted"
        assert hour_in("Europe/Kyiv", micros(2026, 12, 1, 20)) == 22
    finally:
        reset_tzpath()
        ZoneInfo.clear_cache()


def test_every_zone_of_the_package_is_read() -> None:
    assert len(names()) > 590
    assert {zone(name).key for name in names()} == names()


@pytest.mark.parametrize(
    "name", ["", "Kyiv", "europe/kyiv", "localtime", "UTC+2", "../tzdata/zones", "Europe", "Europe/Kyiv "]
)
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    """`localtime` is a file of the system, another one on each machine."""
    with pytest.raises(Malformed) as refused:
        zone(name)
    assert str(refused.value) == (
        f"There is no time zone {name!r}. Nothing was kept. Write one such as Europe/Kyiv or UTC."
    )


def test_no_workspace_is_made_in_a_zone_that_does_not_exist() -> None:
    """It is refused before a server is looked for."""
    with pytest.raises(Malformed, match=r"There is no time zone 'Europe/Kyyiv'\. Nothing was kept\."):
        asyncio.run(create_workspace("postgresql://nowhere", SHOP, "Shop", timezone="Europe/Kyyiv"))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (
            NIGHT,
            "rule “Night” (version 1): the first of its owners; "
            "hours were counted in UTC, as the workspace's time zone 'Kyiv' does not exist",
        ),
        (WHOLE_DAY, "rule “Rest” (version 1): the first of its owners"),
    ],
)
def test_a_workspace_of_before_with_no_such_zone_still_gives_its_leads_to_somebody(
    rule: AssignmentRule, why: str
) -> None:
    """The bug: the rule stumbled over the zone, so each lead of the workspace went into quarantine."""
    created, *rest = shop(rule)
    before = replace(created, timezone="Kyiv"), *rest
    story = given(*before).when(form("1", NOON + 8 * 60 * MINUTE, phones=["+380501112233"]))  # 18:00 UTC
    assert story.every(DealAssigned)[-1].why == why
