"""What a form says of its sender: name, phones, e-mails, where from; every other field is kept.

Evidence is weighed: a name that asks for it and a value that is one beat a value that can be nothing else, and that
beats a name alone. Whatever is about somebody else, or is not certain, stays text and is said.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from crm.names import words
from crm.placeholders import is_placeholder
from services.connectors.form.evident import has_letters, is_a_name, is_nobodys, phones_among, sure_emails, sure_phone
from services.connectors.form.field_roles import NEAR, PLAIN, RECIPIENT, SENDER, asked_of
from services.connectors.form.shapes import Entry
from services.connectors.form.traps import is_filled, is_own
from services.connectors.form.ways import MOST, Ways
from services.connectors.form.words import FILLERS, classes
from services.connectors.form.worth import Sum, currency_in
from services.connectors.formats.exact_json import Value, encode

MOST_KEPT = 500
_NAMES = ("name", "first", "middle", "last")
_NAME_PARTS = frozenset(_NAMES[1:])
_MOVED = frozenset((*_NAMES, "page", "form_id"))  # said wholly in a place of their own
_NO_TEXT = (bool, list, dict)
_UTM = re.compile(r"\b(?:utm_([a-z_]+)|(gclid|fbclid))=([^&;|#\s]+)")
_CALLING_CODE = re.compile(r"\+?([1-9]\d{0,3})")
_WORD = re.compile(r"[^\W_]+")


@dataclass(slots=True)
class Submission:
    """Filled by `take_all`."""

    ways: Ways
    traps: frozenset[str] = frozenset()
    is_order: bool = False
    texts: dict[str, str] = field(default_factory=dict)  # by role: the first that was given
    utm: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    volatile: set[str] = field(default_factory=set)  # fields that take no part in comparing
    name: str = ""
    suspicious: str = ""
    dropped: int = 0
    _left: list[Entry] = field(default_factory=list)  # of which more may be known by their values

    def take_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._take(entry)
        self._by_value()
        self._nearest()
        self.name = self._called()
        if not self.ways.called_back:
            self._offer()
        for name in ("COOKIES", "meta.page_url"):
            if found := self.fields.get(name):
                self._utm_in(found)
        if page := self.texts.get("page"):
            self._utm_in(page)

    def _called(self) -> str:
        if _NAME_PARTS.isdisjoint(self.texts):
            return self.texts.get("name", "")
        given = [self.texts.get(role, "") for role in _NAMES]
        full = given[0]
        return " ".join(part for part in (full, *given[1:]) if part and (part is full or part not in full))

    @property
    def in_smallest_units(self) -> bool:
        """Stripe's objects and WooCommerce's Store API count in them."""
        if not self.sums or not ("livemode" in (names := "\n".join(self.fields)) or "currency_minor_unit" in names):
            return False
        return any(name.endswith(("livemode", "currency_minor_unit")) for name in self.fields)

    @property
    def _somebody(self) -> bool:
        return bool(self.ways.phones or self.ways.emails or self._called())

    def _take(self, entry: Entry) -> None:
        name, value, asked = entry
        own = bool(self.traps) and is_own(name, self.traps)
        trap = own or asked.trap
        if trap and is_filled(value, own):
            self.suspicious = f"The field {name!r}, which people do not see, was filled in."
        elif asked.plain and self._recognised(entry):
            return
        kept = self._keep(name, value)
        if asked.volatile:
            self.volatile.add(kept)
        elif value and not trap and not isinstance(value, bool):
            self._left.append(entry if kept == name else entry._replace(name=kept))

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
            return self.ways.of_phone(name, value)
        if role == "email":
            return self.ways.of_email(name, value)
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
            self.sums.append(Sum(role, text, asked.weight, currency_in(name)))
            return False
        if not text or role in self.texts or (role == "page" and not text.startswith("http")):
            return False
        if role in _NAMES and not self._is_name(text, role):
            return False
        if role == "calling_code" and (code := _CALLING_CODE.fullmatch(text)):
            self.ways.dialled = code[1]
        self.texts[role] = text
        return role in _MOVED

    def _is_name(self, text: str, role: str) -> bool:
        """Not a dash, an address or a number, nor the field's own label; "Тест" is how somebody wants to be seen."""
        if not has_letters(text):
            return False
        if len(text) == 1:
            return role != "name"
        if is_nobodys("name", text) and (is_placeholder("email", text) or asked_of((text,)).role in _NAMES):
            return False  # a word for none, whatever is asked
        if is_hint(text):
            return False
        return text.isalpha() or not (sure_emails(text) or any(phones_among(text, self.ways.country)))

    def _by_value(self) -> None:
        """Where no name said it, a value may: only what can be nothing else counts."""
        named = "name" in self.texts or "first" in self.texts or "last" in self.texts
        if named and self.ways.called_back and self.ways.emails and not self.is_order:
            return
        own = [entry for entry in self._left if entry.asked.whose == SENDER and isinstance(entry.value, (str, int))]
        if named and self.ways.called_back and not self.is_order and not any(map(_may_be_email, own)):
            return
        if not named:
            self._weak_name(own)
        numbers = [entry for entry in own if entry.asked.role == "number"]
        if self.is_order and numbers:
            self.texts.setdefault("reference", str(numbers[0].value).strip())
        for entry in own:
            role = entry.asked.role  # in a place that nobody knows
            if (role == "phone" and not self.ways.called_back) or (role == "email" and not self.ways.emails):
                self._recognised(entry)
        if not self.ways.called_back:
            for entry in own:
                if entry.asked.role == "reach" or (entry.asked.role == "number" and not self.is_order):
                    self.ways.of_any(entry.name, str(entry.value))
        if not self.ways.called_back:
            unnamed = (e for e in own if not (e.asked.closed or e.asked.technical or e.asked.role in _NAMES))
            next((entry for entry in unnamed if self.ways.of_value(entry.name, entry.value)), None)
        if not self.ways.emails:
            any(self.ways.of_address(entry.name, entry.value) for entry in own if not entry.asked.technical)

    def _weak_name(self, own: list[Entry]) -> None:
        """By a name that says it less plainly; out of a name with a number in it; or by a name and a phone that were
        written into each other's fields."""
        for _, value, asked in own:
            text = str(value).strip()
            if asked.role not in _NAMES or not has_letters(text):
                continue
            text = self._without_phones(text)
            if is_a_name(text) and not is_placeholder("name", text) and not is_hint(text):
                self.texts.setdefault(asked.role, " ".join(text.split()))
        if not any(role in self.texts for role in _NAMES):
            self._given_name(own)
        if self._somebody:
            return
        numbers = [e for e in own if e.asked.role in _NAMES and sure_phone(str(e.value), self.ways.country)]
        names = [str(e.value).strip() for e in own if e.asked.role == "phone" and is_a_name(str(e.value))]
        if len(numbers) == len(names) == 1 and not is_placeholder("name", names[0]):
            self.texts["name"] = names[0]
            self.ways.of_value(numbers[0].name, numbers[0].value)

    def _given_name(self, own: list[Entry]) -> None:
        """In a field whose name says nothing, or for ways to reach somebody: what begins with a given name."""
        for _, value, asked in own:
            if not isinstance(value, str) or not (asked.blank or asked.role == "reach"):
                continue
            text = self._without_phones(value)
            parts = words(text) if is_a_name(text) and all(word[0].isupper() for word in text.split()) else ()
            if 1 <= len(parts) <= 4 and parts[0].given:
                self.texts["name"] = " ".join(text.split())
                return

    def _without_phones(self, text: str) -> str:
        for phone in phones_among(text, self.ways.country):
            text = text.replace(phone.text, " ").strip(" ,;:-()")
        return text

    def _nearest(self) -> None:
        """A form that asks only for a recipient, or for a child and its parents, is sent by one of them."""
        near = [entry for entry in self._left if entry.asked.whose in (RECIPIENT, NEAR) and entry.asked.weight == PLAIN]
        if not near:
            return
        names = [entry for entry in near if entry.asked.role in _NAMES]
        if not self._somebody:
            ways = [entry for entry in near if entry.asked.role in ("phone", "email")]
            said = {word for entry in ways for word in _said_of(entry.name)}
            taken = ways + ([entry for entry in names if said & _said_of(entry.name)] or names[:1])
        elif not self._called() and not any(e.asked.role in _NAMES for e in self._left if e.asked.whose == SENDER):
            taken = [entry for entry in names if entry.asked.whose == RECIPIENT]
        else:
            return
        if any([self._recognised(entry) for entry in taken]):
            self.ways.doubt("The form asks for nobody but a recipient or a relative: they were taken for its sender.")

    def _offer(self) -> None:
        for name, value, asked in self._left:
            if asked.role == "email":
                continue  # what stands in it is half of an address
            of_near = asked.whose in (RECIPIENT, NEAR) and asked.role == "phone"
            if isinstance(value, str) and (of_near or (asked.whose == SENDER and not asked.closed)):
                self.ways.offer(name, value)

    def _utm_in(self, text: str) -> None:
        if not text:
            return
        for label, click_id, value in _UTM.findall(unquote(text[:4_096].strip('"'))):
            self.utm.setdefault(label or click_id, value)


def _may_be_email(entry: Entry) -> bool:
    return entry.asked.role == "email" or "@" in str(entry.value)


def is_hint(text: str) -> bool:
    """What stands in a field that nobody filled in: "Ваше ім'я"."""
    return " " in text and text.partition(" ")[0].lower() in FILLERS and asked_of((text,)).role in _NAMES


def _said_of(name: str) -> set[str]:
    """Words of a field's name that say whose it is: "Ім'я мами", "Телефон мами"."""
    return {word for word in _WORD.findall(name.lower()) if {"near", "recipient"} & classes(word)}
