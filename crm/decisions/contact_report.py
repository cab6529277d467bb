"""A person or a firm of another system: its key identifies a card, which learns what each report says newly."""

from collections.abc import Iterator, Sequence

from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, card, created, identified, line, taken
from crm.decisions.fact_rule import FactRule
from crm.decisions.form import identifiers_of
from crm.decisions.loading import Wanted, of_identifier
from crm.decisions.merging import merged, unmerged
from crm.decisions.own_keys import (
    News,
    OwnKey,
    Values,
    addressed,
    check,
    common_values,
    doubted,
    left,
    news_of,
    noted,
    recorded,
)
from crm.decisions.parked_payments import retry_parked
from crm.decisions.reported_people import card_for, give_people, name_in, own_identifier
from crm.envelope import Event
from crm.events import ContactAbsorbed, ContactChanged, ContactRenamed
from crm.facts import ContactReported
from crm.scalars import Id
from crm.state import Contact, Fields, Reported, known, reported_key
from crm.vocabulary import Existing


def contact_reported(report: ContactReported, case: Case) -> Iterator[Event]:
    own, workspace = addressed(case.state, report, "contact"), report.meta.workspace
    values, others = values_of(report, case, own), [] if report.deleted else identifiers_of(report)
    contact, contact_id = card_for(case.state, workspace, own, name_in(report.name), others)
    if contact is None and report.deleted:
        news = news_of(report, case, own, values)
        yield noted(case, news) if news.nothing else recorded(case, news, contact_id)  # a card that may never come
        return
    if contact and report.existing == Existing.SKIP:
        yield left(case, own)
        return
    if contact and report.existing == Existing.FILL:
        values = lacking(values, card(case.state, contact_id))
    news = news_of(report, case, own, values, contact_id)
    people = values.get("people")
    others = others if people and people != news.before.value("people") else []
    if contact is None:
        yield from made_from(case, news, contact_id, others)
    else:
        yield from learnt_from(case, news, contact_id, others)
    if not news.nothing:
        doubts = values.doubts if news.after.doubts != news.before.doubts else ()
        yield from doubted(case, news, contact_id, None, *doubts)
    elif case.events == 0:
        yield noted(case, news)


def made_from(case: Case, news: News, contact_id: Id, others: Sequence[Identifier]) -> Iterator[Event]:
    """A card is made, with all that is said of it. A report that deleted it may have come before."""
    own, first = news.own, news.after.first
    identifiers = others if news.after.deleted else [own_identifier(own.system, own.key), *others]
    report = None if news.nothing else news.report
    yield from created(
        case, contact_id, news.after.text("name"), own.system, identifiers, fields=news.all_fields, report=report
    )
    if contact_id == own.id_in(case.fact.meta.workspace) and first < case.fact.meta.occurred_at:
        yield ContactChanged(case.meta(contact_id), contact_id, {}, first)
    yield from joined(case, news, contact_id)


def learnt_from(case: Case, news: News, contact_id: Id, others: Sequence[Identifier]) -> Iterator[Event]:
    """A card that is there learns what is new."""
    before = case.events
    yield from keyed(case, news, contact_id)
    yield from identified(case, contact_id, others, shares=False)
    learnt = case.events > before
    yield from renamed(case, news, contact_id)
    yield from refilled(case, news, contact_id)
    yield from joined(case, news, contact_id)
    if not news.nothing:
        yield recorded(case, news, contact_id, contact_id)
    if learnt:
        yield from retry_parked(case, contact_id)


def values_of(report: ContactReported, case: Case, own: OwnKey) -> Values:
    values = common_values(report, case, own)
    if name_in(report.name):
        values.short_text("name", report.name, 200)
    give_people(values, report)
    return values


def lacking(values: Values, contact: Contact) -> Values:
    """What a card does not have. Telephones and e-mails are only added anyway."""
    there = {*(f"fields.{name}" for name in contact.fields), *(["name"] if contact.name else [])}
    return Values({name: text for name, text in values.items() if name not in there})


def keyed(case: Case, news: News, contact_id: Id) -> Iterator[Event]:
    """The key goes from the card when its source deletes the record, and comes back with it. All else stays."""
    identifier = own_identifier(news.own.system, news.own.key)
    if news.after.deleted:
        yield from taken(case, card(case.state, contact_id), identifier, f"{news.own.system} deleted it")
    else:
        yield from identified(case, contact_id, [identifier])


def renamed(case: Case, news: News, contact_id: Id) -> Iterator[Event]:
    """On a card that was there before, the source's name fills an empty one and replaces only its own."""
    contact, name = known(case.state, Contact, contact_id), news.after.text("name")
    if name in ("", contact.name) or not ("name" in news.changed or news.before.subject is None):
        return
    if contact.name in ("", news.before.text("name")) or contact_id == news.own.id_in(case.fact.meta.workspace):
        yield ContactRenamed(case.meta(contact_id), contact_id, name, f"{news.own.system} says so")
        yield from shown_above(case, contact_id)


def refilled(case: Case, news: News, contact_id: Id) -> Iterator[Event]:
    """Of a card that is new to the key, also what a report said before that deleted it."""
    fields = news.all_fields if news.before.subject is None else news.fields
    older = news.older and contact_id == news.own.id_in(case.fact.meta.workspace)
    if fields or older:
        yield ContactChanged(case.meta(contact_id), contact_id, fields, news.after.first if older else None)
        yield from shown_above(case, contact_id)


def shown_above(case: Case, contact_id: Id) -> Iterator[Event]:
    """Cards that it was merged into show what it says."""
    contact, *above = line(case.state, contact_id)
    for one in above:
        yield ContactAbsorbed(case.meta(one.contact_id), one.contact_id, contact_id, contact.name, contact.fields)


def joined(case: Case, news: News, contact_id: Id) -> Iterator[Event]:
    """Two keys turn out to be one record, or not to be: so do their cards."""
    if "merged_into" not in news.changed:
        return
    state, own, into = case.state, news.own, news.after.merged_into
    contact = known(state, Contact, contact_id)
    if not into:
        if news.before.merged_into and contact.merged_into:
            yield from unmerged(case, contact, f"{own.system} says that {own} stands for itself")
        return
    other_own = own._replace(key=into)
    other, other_id = card_for(state, case.fact.meta.workspace, other_own, "", ())
    if other is None:
        yield from created(case, other_id, "", own.system, [own_identifier(own.system, into)])
    mine, theirs = card(state, contact_id).contact_id, card(state, other_id).contact_id
    if mine != theirs:
        yield from merged(case, mine, theirs, f"{own.system} merged {own} into {other_own}")
        yield from retry_parked(case, theirs)


def hints(report: ContactReported) -> Wanted:
    own = OwnKey("contact", report.system, report.key)
    yield Reported, reported_key(*own)
    yield Contact, own.id_in(report.meta.workspace)
    for identifier in (own_identifier(report.system, report.key), *identifiers_of(report)):
        yield from of_identifier(identifier.key)
    if report.fields:
        yield Fields, "contact"


def identifiers_in(report: ContactReported) -> Iterator[tuple[str, str]]:
    yield report.system, report.key
    yield from ((one.kind, one.value) for one in identifiers_of(report))


RULE = FactRule(
    ContactReported,
    contact_reported,
    family="facts",
    hints=hints,
    identifiers=identifiers_in,
    sender=lambda own: f"{own['system']}:{own['key']}",
    check=check,
    occurs="changed_at",
    null_removes=True,
    words={"existing": Existing},
    row=lambda report: ("contact", OwnKey("contact", report.system, report.key).id_in(report.meta.workspace)),
)
