"""What a form says of its sender: name, phones, e-mails, where from, what it is worth; every other field is kept."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from crm.errors import Malformed
from crm.money import currency_of, to_minor
from crm.phones import read_phone
from crm.shared import Phone
from services.connectors.exact_json import Value, encode
from services.connectors.shapes import Entry

MOST_KEPT = 500
MOST_CONTACTS = 20  # phones, e-mails and UTM labels each: more is no person's; they stay among the fields
HONEYPOTS = frozenset(("website_url", "hp", "honeypot", "_gotcha", "_honey", "bot-field", "url_confirm"))
_EMAIL = re.compile(r"[^\s@<>,;:\"'()]+@[^\s@<>,;:\"'()]+\.[^\s@<>,;:\"'().]{2,}")
_BETWEEN = re.compile(r"[\s<>,;:\"'()]+")
_DIGIT = re.compile(r"\d")
_SEPARATOR = re.compile(r"[,;/|\n]+")
_MOVED = frozenset(("name", "first", "middle", "last", "page", "form_id"))  # told wholly in a place of their own
_UTM = re.compile(r"\b(?:utm_([a-z_]+)|(gclid|fbclid))=([^&;|#\s]+)")


def honeypots(named: str) -> frozenset[str]:
    """The usual field names that only robots fill in, and those of a connection's own (separated by commas)."""
    return HONEYPOTS | {name.strip() for name in named.split(",")} - {""} if named else HONEYPOTS


@dataclass
class Submission:
    """Filled by `take_all`."""

    country: str
    honeypots: frozenset[str]
    texts: dict[str, str] = field(default_factory=dict)  # by role: the first that was given
    phones: dict[str, Phone] = field(default_factory=dict)
    emails: dict[str, None] = field(default_factory=dict)
    utm: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    suspicious: str = ""
    dropped: int = 0

    def take_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._take(entry)
        self._guess(entries)

    def _take(self, entry: Entry) -> None:
        name, value, role = entry
        if name in self.honeypots and value not in ("", None, False):
            self.suspicious = f"The field {name!r}, which people do not see, was filled in."
        elif role and self._recognised(role, value):
            return
        self._keep(name, value)

    def _keep(self, name: str, value: Value) -> None:
        if len(self.fields) >= MOST_KEPT:
            self.dropped += 1
            return
        while name in self.fields:
            name += "'"  # two fields whose dotted names are the same
        self.fields[name] = encode(value)

    def _recognised(self, role: str, value: Value) -> bool:
        """Whether the value is what its name promises and is told wholly elsewhere."""
        if role == "phone":
            return self._phones(value)
        if role == "email":
            return self._emails(value)
        if isinstance(value, bool | list | dict) or value is None:
            return False
        text = str(value).strip()
        if role.startswith("utm."):
            if text and len(self.utm) >= MOST_CONTACTS:
                return False
            if text:
                self.utm.setdefault(role[4:], text)
            return True
        if not text or role in self.texts or (role == "page" and not text.startswith("http")):
            return False
        self.texts[role] = text
        return role in _MOVED

    def _phones(self, value: Value) -> bool:
        if isinstance(value, list):
            return bool(value) and all([self._phones(item) for item in value])
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        text = str(value).strip()
        if len(text) > 1_000 or len(self.phones) >= MOST_CONTACTS:
            return False
        several = _SEPARATOR.split(text)
        for part in several if all(len(_DIGIT.findall(part)) >= 9 for part in several) else (text,):
            if not 5 <= len(_DIGIT.findall(part)) <= 20 or len(part) > 64:
                return False
            phone = read_phone(part.strip(), self.country)
            self.phones.setdefault(phone.e164 or phone.text, phone)
        return True

    def _emails(self, value: Value) -> bool:
        if isinstance(value, list):
            return bool(value) and all([self._emails(item) for item in value])
        if not isinstance(value, str) or len(value) > 1_000 or len(self.emails) >= MOST_CONTACTS:
            return False
        found = [part for part in _BETWEEN.split(value) if _EMAIL.fullmatch(part)]
        self.emails.update((email.lower(), None) for email in found)
        return bool(found) and _EMAIL.fullmatch(value.strip()) is not None

    def _guess(self, entries: list[Entry]) -> None:
        """Where no name told it, a value may: only what can be nothing but an e-mail or a full number counts."""
        for _, value, role in entries:
            if role or not isinstance(value, str) or len(value) > 254:
                continue
            if not self.emails and "@" in value and _EMAIL.fullmatch(value):
                self.emails[value.lower()] = None
            elif not self.phones and value[:1] == "+" and (phone := read_phone(value, self.country)).e164:
                self.phones[phone.e164] = phone
        for name in ("COOKIES", "meta.page_url"):
            if found := self.fields.get(name):
                self._utm_in(found)
        self._utm_in(self.texts.get("page", ""))

    def _utm_in(self, text: str) -> None:
        for label, click_id, value in _UTM.findall(unquote(text[:4_096].strip('"'))):
            self.utm.setdefault(label or click_id, value)

    @property
    def name(self) -> str:
        given = [self.texts.get(role, "") for role in ("name", "first", "middle", "last")]
        full = given[0]
        return " ".join(part for part in (full, *given[1:]) if part and (part is full or part not in full))

    def amount(self, currency: str) -> tuple[int | None, str]:
        """Raises Malformed for a sum that cannot be read in one way only."""
        told = self.texts.get("amount")
        if not told:
            return None, ""
        currency = currency_of(self.texts.get("currency", currency))
        minor = to_minor(told, currency)
        if minor < 0:
            raise Malformed(f"The form is worth less than nothing: {told!r}.")
        return minor, currency
