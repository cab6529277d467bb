"""What a form says of its sender: name, phones, e-mails, where from; every other field is kept.

Evidence is weighed: a name that asks for it and a value that is one beat a value that can be nothing else, and that
beats a name alone. Whatever is about somebody else, or is not certain, stays text and is said.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import unquote

from crm.emails import emails_in
from crm.phones import phones_in
from crm.placeholders import is_placeholder
from crm.shared import Phone
from services.connectors.evident import (
    emails_among,
    has_letters,
    is_a_name,
    phones_among,
    sure_emails,
    sure_phone,
)
from services.connectors.exact_json import Value, encode
from services.connectors.fields import NEAR, PLAIN, SENDER, asked_of
from services.connectors.shapes import Entry
from services.connectors.traps import is_filled, is_trap
from services.connectors.worth import Sum

MOST_KEPT = 500
MOST_CONTACTS = 20  # phones, e-mails and UTM labels each: more is no person's; they stay among the fields
_NAMES = ("name", "first", "middle", "last")
_MOVED = frozenset((*_NAMES, "page", "form_id"))  # said wholly in a place of their own
_BETWEEN = re.compile(r"[,;/|\n]+")
_ADD = "If it is the sender's, add it to the card."
_UTM = re.compile(r"\b(?:utm_([a-z_]+)|(gclid|fbclid))=([^&;|#\s]+)")


@dataclass
class Submission:
    """Filled by `take_all`."""

    country: str
    traps: frozenset[str] = frozenset()
    is_order: bool = False
    texts: dict[str, str] = field(default_factory=dict)  # by role: the first that was given
    phones: dict[str, Phone] = field(default_factory=dict)
    emails: dict[str, None] = field(default_factory=dict)
    utm: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    volatile: set[str] = field(default_factory=set)  # fields that take no part in comparing
    suspicious: str = ""
    dropped: int = 0
    _left: list[tuple[str, Entry]] = field(default_factory=list)  # of which more may be known by their values

    def take_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._take(entry)
        self._by_value()
        if not (self.name or self.phones or self.emails):
            self._nearest()
        if not self.reachable:
            self._offer()
        for name in ("COOKIES", "meta.page_url"):
            if found := self.fields.get(name):
                self._utm_in(found)
        self._utm_in(self.texts.get("page", ""))

    @property
    def reachable(self) -> bool:
        return any(phone.e164 for phone in self.phones.values())

    @property
    def name(self) -> str:
        given = [self.texts.get(role, "") for role in _NAMES]
        full = given[0]
        return " ".join(part for part in (full, *given[1:]) if part and (part is full or part not in full))

    def _take(self, entry: Entry) -> None:
        name, value, asked = entry
        trap = is_trap(name, self.traps)
        if trap and is_filled(name, value, self.traps):
            self.suspicious = f"The field {name!r}, which people do not see, was filled in."
        elif asked.role and asked.weight == PLAIN and asked.whose == SENDER and self._recognised(entry):
            return
        kept = self._keep(name, value)
        if asked.volatile:
            self.volatile.add(kept)
        elif value and not trap and not isinstance(value, bool):
            self._left.append((kept, entry))

    def _keep(self, name: str, value: Value) -> str:
        if len(self.fields) >= MOST_KEPT:
            self.dropped += 1
            return ""
        while name in self.fields:
            name += "'"  # two fields whose dotted names are the same
        self.fields[name] = encode(value)
        return name

    def _recognised(self, entry: Entry) -> bool:
        """Whether the value is what its name promises and is said wholly elsewhere."""
        name, value, asked = entry
        role = asked.role
        if role == "phone":
            return self._phones(name, value)
        if role == "email":
            return self._emails(name, value)
        if isinstance(value, bool | list | dict) or value is None:
            return False
        text = str(value).strip()
        if role.startswith("utm."):
            if text and len(self.utm) >= MOST_CONTACTS:
                return False
            if text:
                self.utm.setdefault(role[4:], text)
            return True
        if role in ("sum", "amount", "price"):
            self.sums.append(Sum(role, text, asked.weight))
            return False
        if role in _NAMES and not self._is_name(text, role):
            return False
        if not text or role in self.texts or (role == "page" and not text.startswith("http")):
            return False
        self.texts[role] = text
        return role in _MOVED

    def _is_name(self, text: str, role: str) -> bool:
        """Not a dash, an address or a number, nor the field's own label; "Тест" is how somebody wants to be seen."""
        if not has_letters(text):
            return False
        if len(text) == 1:
            return role != "name"
        if is_placeholder("email", text) or (is_placeholder("name", text) and asked_of((text,)).role in _NAMES):
            return False  # words for none, which no kind of value is
        return text.isalpha() or not (sure_emails(text) or next(phones_among(text, self.country), None))

    def _phones(self, name: str, value: Value) -> bool:
        if isinstance(value, list):
            return bool(value) and all([self._phones(name, item) for item in value])
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            return False
        text = str(value)
        if not text.strip() or len(text) > 1_000 or len(self.phones) >= MOST_CONTACTS:
            return False
        letters = has_letters(text)
        if "@" in text and self._mixed(name, text):
            return False
        found = [phone for phone in phones_in(text, self.country) if not is_placeholder("phone", phone.e164)]
        for phone in found[:MOST_CONTACTS]:
            self.phones.setdefault(phone.e164, phone)
        if found:
            self.volatile.add(name)
            return not letters
        digits = sum(map(str.isdecimal, text))
        if 5 <= digits <= 20 and len(text) <= 64 and not is_placeholder("phone", text):
            self.phones.setdefault(text.strip(), Phone(text.strip(), ""))
            self._doubt(f"The phone {text.strip()!r} could not be read as one certain number. Ask for it again.")
        return False

    def _emails(self, name: str, value: Value) -> bool:
        if isinstance(value, list):
            return bool(value) and all([self._emails(name, item) for item in value])
        if not isinstance(value, str) or len(value) > 1_000 or len(self.emails) >= MOST_CONTACTS:
            return False
        found = [email for email in emails_in(value) if not is_placeholder("email", email)]
        self.emails.update(dict.fromkeys(found[:MOST_CONTACTS]))
        if found:
            self.volatile.add(name)
            return len(found) == 1 and len(value.strip()) == len(found[0])
        if phone := sure_phone(value, self.country):
            self.phones.setdefault(phone.e164, phone)
            self.volatile.add(name)
        elif "@" in value and not is_placeholder("email", value):
            self._doubt(
                f"The e-mail {value.strip()[:100]!r} could not be read as one certain address. Ask for it again."
            )
        return False

    def _mixed(self, name: str, text: str) -> bool:
        """A phone, an address or both in a field that is meant for ways to reach somebody."""
        pieces = _BETWEEN.split(text)
        if len(pieces) == 1 and len(words := [word for word in text.split() if "@" in word]) == 1:
            rest = text.replace(words[0], " ")
            pieces = [words[0], rest] if phones_in(rest, self.country) else pieces
        emails = [email for piece in pieces for email in emails_in(piece) if not is_placeholder("email", email)]
        phones = [phone for piece in pieces if "@" not in piece for phone in phones_in(piece, self.country)]
        phones = [phone for phone in phones if not is_placeholder("phone", phone.e164)]
        self.emails.update(dict.fromkeys(emails[:MOST_CONTACTS]))
        self.phones.update({phone.e164: phone for phone in phones[:MOST_CONTACTS] if phone.e164 not in self.phones})
        if emails or phones:
            self.volatile.add(name)
        return bool(emails or phones)

    def _by_value(self) -> None:
        """Where no name said it, a value may: only what can be nothing else counts."""
        own = [(kept, e) for kept, e in self._left if e.asked.whose == SENDER and isinstance(e.value, str | int)]
        if not any(role in self.texts for role in _NAMES):
            self._weak_name(own)
        by_role = {role: [(k, e) for k, e in own if e.asked.role == role] for role in ("reach", "number")}
        if not self.reachable:
            for kept, entry in by_role["reach"]:
                self._mixed(kept, str(entry.value))
            if self.is_order:
                for _, entry in by_role["number"]:
                    self.texts.setdefault("reference", str(entry.value).strip())
            else:
                self._sure_phones(by_role["number"], MOST_CONTACTS)
        if not self.reachable:
            self._sure_phones([(k, e) for k, e in own if not e.asked.closed and e.asked.role not in _NAMES], 1)
        if not self.emails:
            self._sure_email(own)

    def _sure_email(self, own: list[tuple[str, Entry]]) -> None:
        for kept, (_, value, asked) in own:
            found = sure_emails(value) if isinstance(value, str) and not asked.technical else []
            if found and not is_placeholder("email", found[0]):
                self.emails[found[0]] = None
                self.volatile.add(kept)
                return

    def _sure_phones(self, entries: list[tuple[str, Entry]], most: int) -> None:
        for kept, entry in entries:
            phone = None if entry.asked.technical else sure_phone(str(entry.value), self.country)
            if phone and not is_placeholder("phone", phone.e164):
                self.phones[phone.e164] = phone
                self.volatile.add(kept)
                most -= 1
                if not most:
                    return

    def _weak_name(self, own: list[tuple[str, Entry]]) -> None:
        """By a name that says it less plainly; out of a name with a number in it; or by a name and a phone that were
        written into each other's fields."""
        for _, (_, value, asked) in own:
            text = str(value).strip()
            if asked.role not in _NAMES or not has_letters(text):
                continue
            for phone in phones_among(text, self.country):
                text = text.replace(phone.text, " ").strip(" ,;:-()")
            if is_a_name(text) and not is_placeholder("name", text):
                self.texts.setdefault(asked.role, " ".join(text.split()))
        if any(role in self.texts for role in _NAMES) or self.phones:
            return
        numbers = [(k, e) for k, e in own if e.asked.role in _NAMES and sure_phone(str(e.value), self.country)]
        names = [str(e.value).strip() for _, e in own if e.asked.role == "phone" and is_a_name(str(e.value))]
        if len(numbers) == len(names) == 1 and not is_placeholder("name", names[0]):
            self.texts["name"] = names[0]
            self._sure_phones(numbers, 1)

    def _nearest(self) -> None:
        """A form that asks only for a recipient or a child's parents is sent by one of them."""
        for kept, entry in self._left:
            if (
                entry.asked.whose == NEAR
                and entry.asked.weight == PLAIN
                and entry.asked.role in (*_NAMES, "phone", "email")
            ):
                self._recognised(entry._replace(name=kept))
        if self.name or self.phones or self.emails:
            self._doubt("The form names nobody but a recipient or a relative: they were taken for its sender.")

    def _offer(self) -> None:
        """A number in a name or in the midst of words may be anybody's: it is shown, and not taken."""
        for kept, entry in self._left:
            if entry.asked.whose != SENDER or entry.asked.closed or not isinstance(entry.value, str):
                continue
            for phone in phones_among(entry.value, self.country):
                if len(self.phones) < MOST_CONTACTS and phone.e164 not in {p.e164 for p in self.phones.values()}:
                    self.phones.setdefault(phone.text, Phone(phone.text, ""))
                    self._doubt(
                        f"The number {phone.text!r} stands in {kept!r}. If it is the sender's, add it to the card."
                    )
            for email in emails_among(entry.value) if not self.emails else ():
                self._doubt(f"The address {email!r} stands in {kept!r}. If it is the sender's, add it to the card.")

    def _doubt(self, sentence: str) -> None:
        if len(self.doubts) < MOST_CONTACTS and sentence not in self.doubts:
            self.doubts.append(sentence)

    def _utm_in(self, text: str) -> None:
        for label, click_id, value in _UTM.findall(unquote(text[:4_096].strip('"'))):
            self.utm.setdefault(label or click_id, value)
