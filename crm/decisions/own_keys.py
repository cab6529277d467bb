"""Records that a source keeps under a key of its own: which key is one, which report counts, where merged keys lead."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from crm.decisions.case import Case, State
from crm.decisions.form_fields import converted
from crm.decisions.workspace import workspace_of
from crm.envelope import Event, named_id
from crm.events import DeliveryNoted, ReportDoubted, ReportRecorded
from crm.facts import ContactReported, DealReported
from crm.scalars import Id
from crm.shared import Report
from crm.state import Fields, Reported, reported_key
from crm.state.reported import EARLIEST, WHY_NOT

SYSTEM = re.compile(r"[a-z0-9_-]{1,40}")
# Kinds of identifiers, and sources of deals.
TAKEN = frozenset(("phone", "email", "iban", "tax_id", "card", "form", "call", "chat", "mail", "hand"))
LONGEST = 200  # characters of system:key, which is an identifier; and of a field's name
MOST_FIELDS = 500  # of one report: what its source said of each is remembered
MOST_KNOWN = 1_000  # of one record
MOST_VALUE = 20_000  # characters of a field's JSON text
MOST_MERGES = 20  # keys, each merged into the next
NULL = "null"
IS_THERE = "is there already, and the report was to change nothing then"
TIMES = 10**14  # moments past it are microseconds since 1970, those below count something else
AnyReport = DealReported | ContactReported


class OwnKey(NamedTuple):
    """`record`: deal or contact."""

    record: str
    system: str
    key: str

    def __str__(self) -> str:
        return f"{self.system}:{self.key}"

    def id_in(self, workspace: Id, part: str = "") -> Id:
        """The same id for the same key, always. `part`: of something that belongs to it."""
        return id_of(workspace, f"{self.record}/{self}{part}")

    def reported(self, state: State) -> Reported | None:
        return state.get(Reported, reported_key(*self))


id_of = lru_cache(maxsize=4096)(named_id)  # of one record a decision, and the hints before it, ask several times


def check(report: AnyReport) -> tuple[str, str] | None:
    """The field, and why the report cannot be taken; None when it can."""
    if not SYSTEM.fullmatch(report.system):
        why = "has 1 to 40 lower case letters, digits, _ and -"
        return "system", f"The system {report.system[:60]!r} cannot be one: it {why}."
    if report.system in TAKEN:
        return "system", f"{report.system!r} means something else already. Choose another name of the system."
    for name in ("key", "contact_key", "merged_into"):
        key: str | None = getattr(report, name, None)
        if key is None or (key == "" and name == "merged_into"):
            continue
        if not key or key != key.strip():
            return name, f"In `{name}`: {key[:60]!r} is empty or has blanks around it. Send it exactly as it is stored."
        if len(report.system) + 1 + len(key) > LONGEST:
            return name, f"In `{name}`: system and key are longer than {LONGEST} characters together."
    if report.merged_into == report.key:
        return "merged_into", f"{report.key[:60]!r} cannot be merged into itself."
    if report.version is not None and abs(report.version) >= 2**63:
        return "version", "In `version`: it does not fit into 64 bits."
    if len(report.fields) > MOST_FIELDS:
        return "fields", f"It has {len(report.fields)} fields; a report has at most {MOST_FIELDS}. Send it in parts."
    if odd := [name for name in report.fields if not 0 < len(name) <= LONGEST]:
        return "fields", f"In `fields`: the name {odd[0][:40]!r} has {len(odd[0])} characters; it has 1 to {LONGEST}."
    return None


def moment_of(report: AnyReport) -> int:
    """By what its source orders reports."""
    if report.version is not None:
        return report.version
    return report.meta.occurred_at if report.changed_at is None else report.changed_at


def addressed(state: State, report: AnyReport, record: str) -> OwnKey:
    """The key that a report is about: of a merged one, what is newer than the merge is about the one that stays."""
    own, moment = OwnKey(record, report.system, report.key), moment_of(report)
    if report.deleted is not None or report.merged_into is not None:
        return own  # it speaks of the key itself
    for _ in range(MOST_MERGES):
        known = own.reported(state)
        if known is None or not known.merged_into or moment <= known.said["merged_into"][0]:
            break
        own = own._replace(key=known.merged_into)
    return own


def leads_back(state: State, own: OwnKey, into: str) -> bool:
    """Whether a merge would go round in a circle."""
    key = into
    for _ in range(MOST_MERGES):
        if key == own.key:
            return True
        known = own._replace(key=key).reported(state)
        if known is None or not known.merged_into:
            return False
        key = known.merged_into
    return True


class Values(dict[str, str]):
    """What a report gives that can be taken, as JSON text, and why something cannot."""

    def give(self, name: str, value: Any) -> None:
        self[name] = json_text(value)

    def doubt(self, name: str, sentence: str) -> None:
        self[WHY_NOT + name] = json_text(sentence)

    def short_text(self, name: str, value: str | None, most: int) -> None:
        """A text of one line, where it is given and not too long."""
        if value is None:
            return
        if len(text := " ".join(value.split())) > most:
            self.doubt(name, f"The {name} has {len(text)} characters; it has at most {most}: not changed.")
        else:
            self.give(name, text)

    @property
    def doubts(self) -> tuple[str, ...]:
        return tuple(msgspec.json.decode(self[name]) for name in sorted(self) if name[0] == WHY_NOT)


def json_text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def common_values(report: AnyReport, case: Case, own: OwnKey) -> Values:
    """Custom fields, each a value of its type where it is defined; whether it was deleted or merged."""
    values = Values()
    if report.deleted is not None:
        values.give("deleted", report.deleted)
    if (into := report.merged_into) is not None:
        if into and leads_back(case.state, own, into):
            values.doubt("merged_into", f"{own} cannot be merged into {own.system}:{into}: that one is merged into it.")
        else:
            values.give("merged_into", into)
    defined = case.state.get(Fields, own.record) if report.fields else None
    known = defined.known if defined else {}
    reported = own.reported(case.state) if report.fields else None
    there = {*(fields_of(reported.values) if reported else ())}
    for name, text in report.fields.items():
        if name not in there and len(there) >= MOST_KNOWN:
            values.doubt(
                "fields", f"It has {MOST_KNOWN} fields already, the most that are possible: {name!r} was not taken."
            )
            continue
        there.add(name)
        if name in known and text != NULL:
            fields = converted({name: known[name]}, {name: text}, workspace_of(case).timezone)
            if fields.doubts:
                values.doubt(f"fields.{name}", fields.doubts[0].replace("kept as it came", "not changed"))
                continue
            text = fields.values.get(name, NULL)
        if len(text) > MOST_VALUE:
            values.doubt(f"fields.{name}", f"{name!r} has {len(text)} characters; at most {MOST_VALUE}: not changed.")
        else:
            values[f"fields.{name}"] = text
    return values


class News(NamedTuple):
    """What is new in a report. `changed`: names whose value is another than the source said before."""

    own: OwnKey
    before: Reported
    after: Reported
    report: Report
    changed: frozenset[str]
    note: str  # where two reports of one moment disagree: what was decided

    @property
    def fields(self) -> dict[str, str]:
        """Custom fields that were changed; null removes one."""
        return fields_of({name: self.after.said[name][1] for name in self.changed})

    @property
    def all_fields(self) -> dict[str, str]:
        """All that was ever said of custom fields, and holds."""
        known = fields_of(self.after.values)
        return {name: text for name, text in known.items() if text != NULL}

    @property
    def nothing(self) -> bool:
        return self.after == self.before and not self.note

    @property
    def first(self) -> bool:
        """No report of this key came before."""
        return self.before.newest == EARLIEST

    @property
    def older(self) -> bool:
        """It occurred before all that were known."""
        return not self.first and self.after.first < self.before.first


def fields_of(said: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("fields."): said[name] for name in sorted(said) if name.startswith("fields.")}


def news_of(report: AnyReport, case: Case, own: OwnKey, values: Mapping[str, str], subject: Id | None = None) -> News:
    before, moment, at = own.reported(case.state) or Reported(), moment_of(report), report.meta.occurred_at
    after = before.with_(moment, values, at, subject)
    said = {name: text for name, text in values.items() if after.said[name] != before.said.get(name)}
    changed = frozenset(name for name in said if before.value(name) != said[name])
    notes = [tie(name, values[name], before) for name in sorted(values) if ties(before, name, moment, values)]
    if moment < TIMES < before.newest:
        why = "is compared with the times of earlier reports, so it counts as older: use the same for all"
        notes.append(f"version {moment} {why}")
    return News(own, before, after, Report(*own, moment, said), changed, "; ".join(notes))


def ties(before: Reported, name: str, moment: int, values: Mapping[str, str]) -> bool:
    """What only adds up disagrees with nothing."""
    known = before.said.get(name)
    disagree = known is not None and known[0] == moment and known[1] != values[name]
    return disagree and name not in ("people", "contact_key") and name[0] != WHY_NOT


def tie(name: str, text: str, before: Reported) -> str:
    larger, smaller = sorted((text, before.said[name][1]), reverse=True)
    return f"two reports of the same moment give {name} as {larger[:100]} and {smaller[:100]}: the larger one counts"


def noted(case: Case, news: News) -> Event:
    """A report that says nothing new."""
    why = f"what it says of {news.own} is known already, or a newer report said otherwise"
    return DeliveryNoted(case.meta(case.fact.meta.id), news.own.system, news.own.record, why)


def left(case: Case, own: OwnKey) -> Event:
    """A report that was to change nothing that is there."""
    return DeliveryNoted(case.meta(case.fact.meta.id), own.system, own.record, f"{own} {IS_THERE}")


def recorded(case: Case, news: News, stream: Id, contact_id: Id | None = None, deal_id: Id | None = None) -> Event:
    """What the source said, where no other event carries it."""
    return ReportRecorded(case.meta(stream), news.report, contact_id, deal_id)


def doubted(case: Case, news: News, contact_id: Id, deal_id: Id | None, *sentences: str) -> Iterator[Event]:
    """For people: what of the report needs a look."""
    if why := "\n".join(filter(None, (*sentences, news.note))):
        yield ReportDoubted(case.meta(contact_id), contact_id, news.own.system, news.own.key, why, deal_id)
