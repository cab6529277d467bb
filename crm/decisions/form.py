"""Story 1: a form becomes a contact and a deal in the pipeline's first stage, with an owner at once."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from crm.decisions.asked_again import Earlier, asked_before, noted
from crm.decisions.awaited import awaited
from crm.decisions.case import Case
from crm.decisions.contacts import Way, card, created, identified, named
from crm.decisions.custom import JSON
from crm.decisions.deals import opened
from crm.decisions.form_fields import Fields, converted
from crm.decisions.identity import contradicts, found
from crm.decisions.workspace import workspace_of
from crm.emails import emails_in
from crm.enquiries import anonymous, digest_of, short
from crm.envelope import Event
from crm.facts import FormSubmitted
from crm.placeholders import is_placeholder
from crm.shared import Phone
from crm.state import Contact
from crm.state import Fields as Defined

LONGEST = 190  # characters of a way to know somebody: with its kind it is a key of the state as it is


def form_submitted(form: FormSubmitted, case: Case) -> Iterator[Event]:
    called, ways = form.name.strip(), ways_of(form)
    form = cleaned(form, ways)
    digest = digest_in(form, ways)
    contact = found(case.state, ways, form.name)
    stands = card(case.state, contact.contact_id) if contact else None
    earlier = None
    if not ways or (stands and not contradicts(case.state, stands, form.name)):
        earlier = asked_before(case.state, digest, form.meta.occurred_at, stands)
    if earlier:
        yield from again(case, form, ways, earlier, contact)
        return
    if contact:
        contact_id = contact.contact_id
        yield from named(case, contact_id, form.name, "a form told it")
    else:
        contact_id = case.new_id("contact")
        yield from created(case, contact_id, form.name, "form", form.utm)
    yield from identified(case, contact_id, ways, shares=contact is None)
    deal_id = case.new_id("deal")
    fields = typed(case, form)
    form = replace(form, fields=fields.values, doubts=(*form.doubts, *fields.doubts), digest=digest)
    title = title_of(form, called, unread(form, ways))
    yield from opened(case, contact_id, deal_id, title, "form", form, known=stands, written=fields.written)
    yield from awaited(case, contact_id, deal_id, form.reference.strip())


def again(
    case: Case, form: FormSubmitted, ways: list[Way], earlier: Earlier, contact: Contact | None
) -> Iterator[Event]:
    """The same enquiry: what is new about its sender is learnt, and its deal says that it came again."""
    before = case.events
    if contact:
        yield from named(case, contact.contact_id, form.name, "a form told it")
        yield from identified(case, contact.contact_id, ways, shares=False)
    learnt = case.events > before
    yield noted(case, form, earlier, news=learnt or bool(contact and unread(form, ways)))
    if contact and learnt:
        yield from awaited(case, contact.contact_id)


def cleaned(form: FormSubmitted, ways: list[Way]) -> FormSubmitted:
    """What stands for nothing in a name is none, and e-mails that cannot be read are said. All else stays."""
    name = " ".join(form.name.split())
    name = "" if is_placeholder("name", name) else name
    if name == form.name and len(form.phones) + len(form.emails) == len(ways):
        return form
    unread = tuple(
        f"The e-mail {email.strip()!r} cannot be read with certainty: it is kept as it was written."
        for email in form.emails
        if email.strip() and not addresses(email) and not is_placeholder("email", email)
    )
    return replace(form, name=name, doubts=(*form.doubts, *unread))


def digest_in(form: FormSubmitted, ways: list[Way]) -> str:
    """Of the enquiry. Who gave nothing to be known by is compared by name and spelling too; what looks like a robot's
    is never the enquiry of a person."""
    digest = form.digest or digest_of(form)
    if not ways:
        digest = anonymous(form, digest)
    return short((digest, "suspicious")) if form.suspicious else digest


def typed(case: Case, form: FormSubmitted) -> Fields:
    """Custom fields are JSON text. What is none (a client of its own sent it), or holds a number past all measure, is
    kept as a string, or no read model could hold it. Defined fields get a value of their type, where it can be read."""
    values = dict(form.fields)
    for name, value in form.fields.items():
        try:
            JSON.decode(value)
        except (ValueError, ArithmeticError, RecursionError):
            values[name] = msgspec.json.encode(value).decode()
    defined = case.state.get(Defined, "deal") if values else None
    if defined is None:
        return Fields(values, {}, ())
    return converted(defined.known, values, workspace_of(case).timezone)


def ways_of(form: FormSubmitted) -> list[Way]:
    """Phones before e-mails: people share mailboxes more often than telephones. Placeholders are nobody's, and what is
    too long for an index is nobody's either."""
    phones = [Way("phone", p.e164, p.text, p.extension) for p in form.phones if usable(p)]
    emails = [Way("email", email, text) for text in form.emails for email in addresses(text)]
    return [*once(phones), *once(emails)]


def once(ways: list[Way]) -> list[Way]:
    return list({way.value: way for way in reversed(ways)}.values())[::-1] if len(ways) > 1 else ways


def usable(phone: Phone) -> bool:
    return 0 < len(phone.e164) <= LONGEST and not is_placeholder("phone", phone.e164)


def addresses(text: str) -> list[str]:
    return [email for email in emails_in(text) if len(email) <= LONGEST and not is_placeholder("email", email)]


def title_of(form: FormSubmitted, called: str, phones: list[str]) -> str:
    """A phone that could not be read must still be seen by whoever calls back, and so must what is no name."""
    title = ": ".join(part for part in (form.form, form.name or called) if part) or "Form"
    return f"{title} (phone as written: {', '.join(phones)})" if phones else title


def unread(form: FormSubmitted, ways: list[Way]) -> list[str]:
    """Phones that are no identifiers, as they were written."""
    read = {way.value for way in ways}
    return [phone.text for phone in form.phones if phone.text and phone.e164 not in read]
