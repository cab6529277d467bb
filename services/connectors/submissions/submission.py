"""What a form says of its sender: name, phones, e-mails and source. Every other field is kept.

Evidence is weighed: a name that asks for it and a value that is one beat a value that can be nothing else, and that
beats a name alone. Whatever is about somebody else, or is not certain, stays text and is said.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from crm.text.names import words
from crm.text.placeholders import is_placeholder
from services.connectors.formats.exact_json import Value, encode
from services.connectors.submissions.certain_values import (
    certain_emails,
    certain_phone,
    has_letters,
    is_a_name,
    is_unusable,
    may_mention,
    phones_among,
)
from services.connectors.submissions.deal_amount import Sum, currency_in
from services.connectors.submissions.field_roles import NEAR, PLAIN, RECIPIENT, SENDER, FieldMeaning, meaning_of
from services.connectors.submissions.honeypots import is_filled, is_own
from services.connectors.submissions.identifiers import MOST, Identifiers
from services.connectors.submissions.shapes import Entry
from services.connectors.submissions.words import FILLERS, classes

MOST_KEPT = 500
_NAMES = ("name", "first", "middle", "last")
_NAME_PARTS = frozenset(_NAMES[1:])
_STORED_APART = frozenset((*_NAMES, "page", "form_id"))  # said wholly in a place of their own
_NO_TEXT = (bool, list, dict)
_UTM = re.compile(r"\b(?:utm_([a-z_]+)|(gclid|fbclid))=([^&;|#\s]+)")
_CALLING_CODE = re.compile(r"\+?([1-9]\d{0,3})")
_WORD = re.compile(r"[^\W_]+")
_LOGIN = re.compile(r"(?=.*[_\d])[\w.-]+", re.ASCII)


@dataclass(slots=True)
class Submission:
    """Filled by `read_all`."""

    identifiers: Identifiers
    honeypots: frozenset[str] = frozenset()
    is_order: bool = False
    texts: dict[str, str] = field(default_factory=dict)  # by role: the first that was given
    utm: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    volatile: set[str] = field(default_factory=set)  # fields that take no part in comparing
    name: str = ""
    suspicious: str = ""
    dropped: int = 0
    _unused: list[Entry] = field(default_factory=list)  # of which more may be known by their values

    def read_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._read_entry(entry)
        self._read_by_value()
        self._read_recipient_or_relative()
        self.name = self._full_name()
        if not self.identifiers.has_phone:
            self._report_mentions()
        for name in ("COOKIES", "meta.page_url"):
            if found := self.fields.get(name):
                self._read_utm(found)
        if page := self.texts.get("page"):
            self._read_utm(page)

    def _full_name(self) -> str:
        if _NAME_PARTS.isdisjoint(self.texts):
            return self.texts.get("name", "")
        given = [self.texts.get(role, "") for role in _NAMES]
        if any(given[1:]) and _LOGIN.fullmatch(given[0]):
            given[0] = ""  # user_name: "olena_k", first_name: "Олена"
        full = given[0]
        return " ".join(part for part in (full, *given[1:]) if part and (part is full or part not in full))

    @property
    def in_smallest_units(self) -> bool:
        """The objects of payment gateways and of shops' own APIs count in them."""
        if not self.sums or not ("livemode" in (names := "\n".join(self.fields)) or "currency_minor_unit" in names):
            return False
        return any(name.endswith(("livemode", "currency_minor_unit")) for name in self.fields)

    @property
    def _has_sender(self) -> bool:
        return bool(self.identifiers.phones or self.identifiers.emails or self._full_name())

    def _read_entry(self, entry: Entry) -> None:
        name, value, meaning = entry
        own = bool(self.honeypots) and is_own(name, self.honeypots)
        honeypot = own or meaning.honeypot
        if honeypot and is_filled(value, own):
            self.suspicious = f"The field {name!r}, which people do not see, was filled in."
        elif meaning.plain and self._recognise(entry):
            return
        kept = self._keep(name, value)
        if meaning.volatile:
            self.volatile.add(kept)
        elif value and not honeypot and not isinstance(value, bool):
            self._unused.append(entry if kept == name else entry._replace(name=kept))

    def _keep(self, name: str, value: Value) -> str:
        if len(self.fields) >= MOST_KEPT:
            self.dropped += 1
            return ""
        while name in self.fields:
            name += "'"  # two fields whose dotted names are the same
        self.fields[name] = encode(value)
        return name

    def _recognise(self, entry: Entry) -> bool:
        """Whether the value is what its name promises and is stored wholly in a place of its own."""
        name, value, meaning = entry
        role = meaning.role
        if role == "phone":
            return self.identifiers.read_phone_field(name, value)
        if role == "email":
            return self.identifiers.read_email_field(name, value)
        if value is None or isinstance(value, _NO_TEXT):
            return False
        text = value.strip() if type(value) is str else str(value)
        if role.startswith("utm."):
            if text and len(self.utm) >= MOST:
                return False
            if text:
                self.utm.setdefault(role[4:], text)
            return True
        if role in ("sum", "amount", "price"):
            self.sums.append(Sum(role, text, meaning.weight, currency_in(name)))
            return False
        if not text or role in self.texts or (role == "page" and not text.startswith("http")):
            return False
        if role in _NAMES and not self._is_name(text, role):
            return False
        if role == "calling_code" and (code := _CALLING_CODE.fullmatch(text)):
            self.identifiers.calling_code = code[1]
        self.texts[role] = text
        return role in _STORED_APART

    def _is_name(self, text: str, role: str) -> bool:
        """Whether a text is a name: no dash, address, number or field's label. "Тест" is a name that somebody chose."""
        if not has_letters(text):
            return False
        if len(text) == 1:
            return role != "name"
        if is_unusable("name", text) and (is_placeholder("email", text) or meaning_of((text,)).role in _NAMES):
            return False  # a word for none, whatever is asked
        if is_hint(text):
            return False
        return text.isalpha() or not (certain_emails(text) or any(phones_among(text, self.identifiers.country)))

    def _read_by_value(self) -> None:
        """Reads identifiers from values that can be nothing else, where no field's name asks for them."""
        named = "name" in self.texts or "first" in self.texts or "last" in self.texts
        if named and self.identifiers.has_phone and self.identifiers.emails and not self.is_order:
            return
        own = [entry for entry in self._unused if entry.meaning.whose == SENDER and isinstance(entry.value, (str, int))]
        if named and self.identifiers.has_phone and not self.is_order and not any(map(_may_be_email, own)):
            return
        if not named and not any(map(_is_guardian, self._unused)):
            self._read_weak_name(own)
        numbers = [entry for entry in own if entry.meaning.role == "number"]
        if self.is_order and numbers:
            self.texts.setdefault("reference", str(numbers[0].value).strip())
        for entry in own:
            role = entry.meaning.role  # in a place that nobody knows
            if (role == "phone" and not self.identifiers.has_phone) or (
                role == "email" and not self.identifiers.emails
            ):
                self._recognise(entry)
        if not self.identifiers.has_phone:
            for entry in own:
                if entry.meaning.role == "reach" or (entry.meaning.role == "number" and not self.is_order):
                    self.identifiers.read_any(entry.name, str(entry.value))
        if not self.identifiers.has_phone:
            unnamed = (e for e in own if not (e.meaning.closed or e.meaning.technical or e.meaning.role in _NAMES))
            next((entry for entry in unnamed if self.identifiers.read_certain_phone(entry.name, entry.value)), None)
        if not self.identifiers.emails:
            any(
                self.identifiers.read_certain_email(entry.name, entry.value)
                for entry in own
                if not entry.meaning.technical
            )

    def _read_weak_name(self, own: list[Entry]) -> None:
        """By a name that says it less plainly; out of a name with a number in it; or by a name and a phone that were
        written into each other's fields."""
        for _, value, meaning in own:
            text = str(value).strip()
            if meaning.role not in _NAMES or not has_letters(text):
                continue
            text = self._without_phones(text)
            if is_a_name(text) and not is_placeholder("name", text) and not is_hint(text):
                self.texts.setdefault(meaning.role, " ".join(text.split()))
        if not any(role in self.texts for role in _NAMES):
            self._read_given_name(own)
        if self._has_sender:
            return
        numbers = [e for e in own if e.meaning.role in _NAMES and certain_phone(str(e.value), self.identifiers.country)]
        names = [str(e.value).strip() for e in own if e.meaning.role == "phone" and is_a_name(str(e.value))]
        if len(numbers) == len(names) == 1 and not is_placeholder("name", names[0]):
            self.texts["name"] = names[0]
            self.identifiers.read_certain_phone(numbers[0].name, numbers[0].value)

    def _read_given_name(self, own: list[Entry]) -> None:
        """Takes the name from a field without a meaning or for contacts, if it begins with a given name."""
        for name, value, meaning in own:
            if not isinstance(value, str) or not (
                meaning.blank or meaning.role == "reach" or _asks_name_too(name, meaning)
            ):
                continue
            text = self._without_phones(value)
            parts = words(text) if is_a_name(text) and all(word[0].isupper() for word in text.split()) else ()
            if 1 <= len(parts) <= 4 and parts[0].given:
                self.texts["name"] = " ".join(text.split())
                return

    def _without_phones(self, text: str) -> str:
        for phone in phones_among(text, self.identifiers.country):
            text = text.replace(phone.text, " ").strip(" ,;:-()")
        return text

    def _read_recipient_or_relative(self) -> None:
        """Takes a recipient or a relative as the sender of a form that asks for nobody else."""
        near = [
            entry
            for entry in self._unused
            if entry.meaning.whose in (RECIPIENT, NEAR) and entry.meaning.weight == PLAIN
        ]
        if not near:
            return
        names = [entry for entry in near if entry.meaning.role in _NAMES]
        guardians = [entry for entry in names if _is_guardian(entry)][:1]
        if not self._has_sender:
            identifiers = [entry for entry in near if entry.meaning.role in ("phone", "email")]
            owner_words = {word for entry in identifiers for word in _owner_words(entry.name)}
            taken = identifiers + (
                [entry for entry in names if owner_words & _owner_words(entry.name)] or guardians or names[:1]
            )
        elif guardians and not self._full_name():
            taken = guardians
        elif not (self.identifiers.phones or self.identifiers.emails) and not names:
            taken = [entry for entry in near if _is_guardian(entry, ("phone", "email"))]
        elif not self._full_name() and not any(
            e.meaning.role in _NAMES for e in self._unused if e.meaning.whose == SENDER
        ):
            taken = [entry for entry in names if entry.meaning.whose == RECIPIENT]
        else:
            return
        if any([self._recognise(entry) for entry in taken]):
            self.identifiers.doubt(
                "The form asks for nobody but a recipient or a relative: they were taken for its sender."
            )

    def _report_mentions(self) -> None:
        for name, value, meaning in self._unused:
            if meaning.role == "email" or not isinstance(value, str):
                continue  # what stands in an e-mail's field is half of an address
            of_near = meaning.whose in (RECIPIENT, NEAR) and meaning.role == "phone"
            if (of_near or (meaning.whose == SENDER and not meaning.closed)) and may_mention(value):
                self.identifiers.report_mentions(name, value)

    def _read_utm(self, text: str) -> None:
        if not text:
            return
        for label, click_id, value in _UTM.findall(unquote(text[:4_096].strip('"'))):
            self.utm.setdefault(label or click_id, value)


def _is_guardian(entry: Entry, roles: tuple[str, ...] = _NAMES) -> bool:
    """Whether a field asks for the name of a child's parent: then the parent sends the form."""
    if not (entry.meaning.role in roles and entry.meaning.whose == NEAR and str(entry.value).strip()):
        return False
    return any("guardian" in classes(word) for word in _WORD.findall(entry.name.lower()))


def _asks_name_too(name: str, meaning: FieldMeaning) -> bool:
    """Whether a field asks for a telephone and for its owner's name: "Ім'я та телефон"."""
    words_of_it = _WORD.findall(re.sub(r"['’ʼ`]", "", name.lower()))
    return meaning.role == "phone" and any("person" in classes(word) for word in words_of_it)


def _may_be_email(entry: Entry) -> bool:
    return entry.meaning.role == "email" or "@" in str(entry.value)


def is_hint(text: str) -> bool:
    """Whether a text is the hint of an empty field: "Ваше ім'я"."""
    return " " in text and text.partition(" ")[0].lower() in FILLERS and meaning_of((text,)).role in _NAMES


def _owner_words(name: str) -> set[str]:
    """Returns the words of a field's name that say whose it is: "Ім'я мами", "Телефон мами"."""
    return {word for word in _WORD.findall(name.lower()) if {"near", "recipient"} & classes(word)}
