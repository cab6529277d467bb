"""A day or a moment as people and browsers write it, read only where one reading is possible."""

import re
from datetime import date, datetime, tzinfo

YEAR = r"(?P<year>[12][0-9]{3})"
NUMBERS = re.compile(
    r"(?P<one>[0-9]{1,2})(?P<by>[./\- ]) ?(?P<two>[0-9]{1,2})(?P=by) ?(?P<year>[0-9]{4}|[0-9]{2})( ?р\.?| ?г\.?)?"
)
YEAR_FIRST = re.compile(YEAR + r"(?P<by>[./\-])(?P<month>[0-9]{1,2})(?P=by)(?P<day>[0-9]{1,2})")
DAY_WORD = re.compile(
    r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|-?го)?[ .\-]*(?:of )?(?P<word>[^\W\d_]{3,})[ .,\-]*"
    + YEAR
    + r"( ?року| ?р\.?| ?года| ?г\.?)?"
)
WORD_DAY = re.compile(r"(?P<word>[^\W\d_]{3,})[ .]+(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? " + YEAR)
WEEKDAY = re.compile(r"^(?:[^\W\d_']{2,10}|п['’ʼ]ятниця)[.,]*\s+(?=.*[0-9])")
CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.[0-9]+)?)?"
TIME = re.compile(r"[T ,]*(?:(?:о|об|в|at) )?" + CLOCK + "$")
SCRIPT = re.compile(r"\s*GMT(?P<zone>[+-][0-9]{4})?(\s*\(.*\))?$|\s*\([^)]*\)$")
MONTHS = """січ янв jan sty, лют фев feb lut, бер мар mar mär, кві апр apr kwi, тра мая май may maj mai,
чер июн jun cze, лип июл jul lip, сер авг aug sie, вер сен sep wrz, жов окт oct okt paź, лис ноя nov lis,
гру дек dec dez gru"""
MONTH = {stem: number for number, stems in enumerate(MONTHS.split(","), 1) for stem in stems.split()}
LONGEST = 120  # letters


def day_in(text: str, zone: tzinfo) -> date | None:
    """`31/12/2026` can be read in one way only, `01/02/2026` cannot. Points are always day first; 26 is 2026. A moment
    of another zone is the day that `zone` has then: browsers send midnight as the evening before."""
    found = moment_in(text, whole=False)
    return (found.astimezone(zone) if found.tzinfo else found).date() if found else None


def moment_in(text: str, whole: bool = True) -> datetime | None:
    """With its zone, if it tells one. `whole`: a day alone is none."""
    text = " ".join(text[: LONGEST + 1].split())
    if len(text) > LONGEST:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found and (not whole or len(text) > 10) and not text.isdigit():
        return found
    return written(text, whole)


def written(text: str, whole: bool) -> datetime | None:
    zone = ""
    if script := SCRIPT.search(text):
        text, zone = text[: script.start()], script["zone"] or ""
    hours = TIME.search(text)
    if whole and not hours:
        return None
    day = day_alone(text[: hours.start()] if hours else text)
    if day is None:
        return None
    clock = f"{int(hours['hour']):02}:{hours['minute']}:{hours['second'] or '00'}" if hours else "00:00:00"
    try:
        return datetime.fromisoformat(f"{day.isoformat()}T{clock}{zone}")
    except ValueError:
        return None


def day_alone(text: str) -> date | None:
    text = text.strip().lower()
    for given in dict.fromkeys((text, WEEKDAY.sub("", text))):
        for shape in (YEAR_FIRST, NUMBERS, DAY_WORD, WORD_DAY):
            if found := shape.fullmatch(given):
                return valid(found.groupdict())
    return None


def valid(parts: dict[str, str | None]) -> date | None:
    """None for a day that the calendar does not have, and for one that may be another."""
    year = int(parts["year"] or 0)
    if parts.get("one") and year < 100 and parts["by"] != ".":
        return None  # 26-12-25 may begin with its year
    if one := parts.get("one"):
        month_and_day = in_order(int(one), int(parts["two"] or 0), parts["by"] == ".")
    elif word := parts.get("word"):
        month_and_day = MONTH.get(word[:3], 0), int(parts["day"] or 0)
    else:
        month_and_day = int(parts["month"] or 0), int(parts["day"] or 0)
    try:
        return date(year if year > 99 else 2000 + year, *month_and_day)
    except ValueError:
        return None


def in_order(one: int, two: int, day_first: bool) -> tuple[int, int]:
    """Month and day; no month when both orders are possible."""
    if day_first or one > 12 or one == two:
        return two, one
    return (one, two) if two > 12 else (0, 0)
