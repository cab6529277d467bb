"""A program reports an object of the workspace's own: upsert by the sender's key, newer wins value by value."""

from collections.abc import Iterator

import msgspec

from crm.decisions.case import Case
from crm.decisions.delivery import quarantined, sent_by
from crm.decisions.fact_rule import FactRule
from crm.decisions.loading import Wanted
from crm.decisions.object_merging import merge_objection, with_aliases
from crm.decisions.object_values import fitting
from crm.decisions.objects import FIELD, MANY, MOST_FIELDS, UNDEFINED, at_moment, changed, newer, quoted
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import ObjectReportOutdated
from crm.facts import ObjectReported
from crm.objects import TYPE_KEY, key_objection, object_id
from crm.scalars import Id, Micros
from crm.state import Object, ObjectType, UsedFields
from crm.state.objects import NOTHING

LONGEST_STATUS, LONGEST_TITLE = 200, 500  # characters
SEVERAL = "Use several types with relations."
NOT_DEFINED = (
    "No type of objects {0!r} is defined in this workspace. The report is kept. Define it with objectTypeDefine or "
    "`crm object define FILE`, then run `crm quarantine reparse --all`."
)
RETIRED = (
    "The type of objects {0!r} was retired. The report is kept. Define it again with objectTypeDefine or "
    "`crm object define FILE`, then run `crm quarantine reparse --all`."
)
encode = msgspec.json.encode


def object_reported(report: ObjectReported, case: Case) -> Iterator[Event]:
    kind = case.state.get(ObjectType, report.object)
    if kind is None or kind.retired:
        why = (RETIRED if kind else NOT_DEFINED).format(report.object)
        yield quarantined(case, sent_by(report), why)
        return
    id, at = object_id_of(report), moment_of(report)
    when = report.changed_at if report.changed_at is not None else report.meta.occurred_at
    before = case.state.get(Object, id) or Object(report.object, report.key, when)
    claims, refused, undefined = claims_of(report, case, kind, before)
    change = newer(before, claims, refused, at)
    doubts = change.doubts
    if doubts or undefined:
        doubts = {about: doubt for about, doubt in doubts.items() if about not in settled(report, kind)}
        doubts |= {about: (0, why) for about, why in undefined.items()}
        change = change._replace(doubts=doubts)
    if not (change.fresh or change.repeated or doubts != before.doubts or is_newer(before, at, when)):
        same = all(before.given.get(name, NOTHING) == (at, text) for name, text in claims.items())
        why = "it says what is known already" if same else "all that it tells is older than what is known"
        yield ObjectReportOutdated(at_moment(case.meta(id), when), id, report.object, report.key, why)
        return
    yield changed(case, kind, before, change, at, when)
    if "merged_into" in change.fresh:
        yield from with_aliases(case, kind, before, change.fresh["merged_into"], when)


def is_newer(before: Object, moment: int, when: Micros) -> bool:
    """Tells whether it moves the moment up to which the object is there, or the time since which it is."""
    return moment > before.given.get("deleted", NOTHING)[0] or when < before.created_at


def claims_of(
    report: ObjectReported, case: Case, kind: ObjectType, before: Object
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Returns what it tells and fits, why other values do not fit, and doubts on fields that nobody defined."""
    claims = {"deleted": "true" if report.deleted else "false"}  # a newer report without it restores
    refused: dict[str, str] = {}
    undefined: dict[str, str] = {}
    own, country = f"{report.object}:{report.key}", workspace_of(case).country
    if report.status is not None:
        claims["status"] = encode(status := report.status.strip()).decode()
        if why := status_objection(kind, status):
            refused["status"] = why
    if report.title is not None:
        claims["title"] = encode(title := report.title.strip()).decode()
        if len(title) > LONGEST_TITLE:
            refused["title"] = f"`title` has at most {LONGEST_TITLE} characters."
    if report.merged_into is not None:
        claims["merged_into"] = encode(report.merged_into).decode()
        if why := merge_objection(case, report):
            refused["merged_into"] = why
    room: int | None = None  # for fields that it has not got yet
    for key, text in report.fields.items():
        name = FIELD + key
        if name not in before.given:
            if room is None:
                room = MOST_FIELDS - sum(given.startswith(FIELD) for given in before.given)
            room -= 1
            if room < 0:
                undefined[MANY] = f"It has {MOST_FIELDS} fields, which is the most; others were not taken. {SEVERAL}"
                continue
        if (field := kind.fields.get(key)) is None or field.retired:
            undefined[f"{UNDEFINED} {name}"] = f"The field {quoted(name)} is not defined; its value is kept as it came."
        try:
            claims[name] = fitting(kind, key, text, country, own)
        except ValueError as error:
            refused[name] = f"{error} The value {text[:100]} was not taken."
    taken = {name: text for name, text in claims.items() if name not in refused} if refused else claims
    return taken, refused, undefined


def status_objection(kind: ObjectType, status: str) -> str:
    """Returns why an object cannot have a status; empty when it can."""
    if kind.statuses and status and status not in kind.statuses:
        return f"The status {status[:100]!r} was not taken: it is one of {', '.join(kind.statuses)}."
    if len(status) > LONGEST_STATUS:
        return f"The status was not taken: it has at most {LONGEST_STATUS} characters."
    return ""


def settled(report: ObjectReported, kind: ObjectType) -> set[str]:
    """Returns the doubts on undefined fields that are defined now."""
    return {f"{UNDEFINED} {FIELD}{key}" for key in report.fields if key in kind.fields and not kind.fields[key].retired}


def moment_of(report: ObjectReported) -> int:
    """Returns by what it is newer than others: the source's version, else its time."""
    if report.version is not None:
        return report.version
    return report.meta.occurred_at if report.changed_at is None else report.changed_at


def object_id_of(report: ObjectReported) -> Id:
    return object_id(report.meta.workspace, report.object, report.key)


def check(report: ObjectReported) -> tuple[str, str] | None:
    """Returns the field that can never be taken, and why."""
    if not TYPE_KEY.fullmatch(report.object):
        return "object", "`object` is the key of a type: a to z, 0 to 9 and _, at most 40, a letter first."
    if why := key_objection(report.key):
        return "key", why
    if report.merged_into and (why := key_objection(report.merged_into)):
        return "merged_into", why
    if report.merged_into == report.key:
        return "merged_into", "An object cannot be merged into itself."
    if report.version is not None and report.version < 1:
        return "version", "A version is a whole number from 1 on."
    if report.version is not None and report.version >= 2**63:
        return "version", "In `version`: it does not fit into 64 bits."
    if len(report.fields) > MOST_FIELDS:
        return "fields", f"It has {len(report.fields)} fields; an object has at most {MOST_FIELDS}. {SEVERAL}"
    if any(not key or len(key) > 100 for key in report.fields):
        return "fields", "The key of a field has 1 to 100 characters."
    return None


def hints(report: ObjectReported) -> Wanted:
    yield ObjectType, report.object
    yield UsedFields, report.object
    yield Object, object_id_of(report)
    if report.merged_into:
        yield Object, object_id(report.meta.workspace, report.object, report.merged_into)


RULE = FactRule(
    ObjectReported,
    object_reported,
    family="facts",
    hints=hints,
    sender=lambda own: f"object/{own['object']}/{own['key']}",
    check=check,
    null_removes=True,
    occurs="changed_at",
)
