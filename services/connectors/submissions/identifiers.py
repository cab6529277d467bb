"""The identifiers of a form's sender: phones and e-mails, read out of fields that are meant for them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from crm.phones import phones_in
from crm.shared import Phone
from crm.text.emails import emails_in
from crm.text.placeholders import is_placeholder
from services.connectors.formats.exact_json import Value
from services.connectors.submissions.certain_values import (
    certain_emails,
    certain_phone,
    emails_among,
    has_letters,
    is_unusable,
    phones_among,
)

MOST = 20  # phones and e-mails each: more is no person's; they stay among the fields
_BETWEEN = re.compile(r"[,;/|\n]+")
_COUNTED = re.compile(r"(\d)\1{4}|12345|23456|34567|45678|56789|98765|87654|76543|65432|54321")
_ADD = "If it is the sender's, add it to the card."


@dataclass(slots=True)
class Identifiers:
    """Collected field by field. `calling_code`: a country's calling code that the form has in a field of its own."""

    country: str
    calling_code: str = ""
    phones: dict[str, Phone] = field(default_factory=dict)
    emails: dict[str, None] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # the fields that ways were read from
    has_phone: bool = False  # whether one of the phones is a number

    def read_phone_field(self, name: str, value: Value) -> bool:
        """Reads a field that asks for a phone. Returns whether the phone is all that it holds."""
        if isinstance(value, list):
            return bool(value) and all([self.read_phone_field(name, item) for item in value])
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            return False
        text = str(value)
        if self.calling_code:
            text = self._with_calling_code(text)
        if not text.strip() or len(text) > 1_000 or len(self.phones) >= MOST:
            return False
        if "@" in text and self._read_mixed(name, text, self._phones_in):
            return False
        if self._add(name, self._without_placeholders(phones_in(text, self.country))):
            return not has_letters(text)
        digits = sum(map(str.isdecimal, text))
        if 5 <= digits <= 20 and len(text) <= 64 and not is_placeholder("phone", text):
            self.phones.setdefault(text.strip(), Phone(text.strip(), ""))
            self.taken.add(name)
            self.doubt(f"The phone {text.strip()!r} could not be read as one certain number. Ask for it again.")
        return False

    def read_email_field(self, name: str, value: Value) -> bool:
        """Reads a field that asks for an e-mail. Returns whether the address is all that it holds."""
        if isinstance(value, list):
            return bool(value) and all([self.read_email_field(name, item) for item in value])
        if not isinstance(value, str) or len(value) > 1_000 or len(self.emails) >= MOST:
            return False
        if found := self._addresses(emails_in(value)):
            self._add(name, (), found)
            return len(found) == 1 and len(value.strip()) == len(found[0])
        if phone := certain_phone(value, self.country):
            self._add(name, [phone])
        elif "@" in value and not is_placeholder("email", value):
            self.doubt(f"The e-mail {value.strip()[:100]!r} could not be read as one address. Ask for it again.")
        return False

    def read_any(self, name: str, text: str) -> bool:
        """Reads a phone, an e-mail or both from a field that is meant for contacts or for some number."""
        return self._read_mixed(name, text, self._certain_phones_in)

    def _read_mixed(self, name: str, text: str, read: Callable[[str], list[Phone]]) -> bool:
        pieces = _BETWEEN.split(text)
        if len(pieces) == 1 and len(words := [word for word in text.split() if "@" in word]) == 1:
            rest = text.replace(words[0], " ")
            pieces = [words[0], rest] if phones_in(rest, self.country) else pieces
        emails = [email for piece in pieces for email in self._addresses(emails_in(piece))]
        phones = [phone for piece in pieces if "@" not in piece for phone in read(piece)]
        return self._add(name, phones, emails)

    def read_certain_phone(self, name: str, value: Value) -> bool:
        """Reads a value that can be nothing but a phone, whatever the field's name."""
        phone = certain_phone(str(value), self.country) if isinstance(value, (str, int)) else None
        return phone is not None and self._add(name, self._without_placeholders([phone]))

    def read_certain_email(self, name: str, value: Value) -> bool:
        """Reads a value that is an e-mail address and nothing else, whatever the field's name."""
        if not isinstance(value, str) or "@" not in value:
            return False
        return self._add(name, (), self._addresses(certain_emails(value))[:1])

    def report_mentions(self, name: str, text: str) -> None:
        """Reports identifiers within names and running text in a sentence: they may be anybody's."""
        known = {phone.e164 for phone in self.phones.values()}
        for phone in phones_among(text, self.country):
            if phone.e164 not in known and len(self.phones) < MOST:
                self.phones.setdefault(phone.text, Phone(phone.text, ""))
                self.doubt(f"The number {phone.text!r} stands in {name!r}. {_ADD}")
        for email in self._addresses(emails_among(text)) if not self.emails else ():
            self.doubt(f"The address {email!r} stands in {name!r}. {_ADD}")

    def doubt(self, sentence: str) -> None:
        if len(self.doubts) < MOST and sentence not in self.doubts:
            self.doubts.append(sentence)

    def _with_calling_code(self, text: str) -> str:
        """Adds the calling code from its own field; +38 goes before the zero of a Ukrainian number."""
        plain = text.strip()
        if plain.startswith(("+", "00", self.calling_code)):
            return text
        return f"+{self.calling_code} {plain if self.calling_code == '38' else plain.removeprefix('0')}"

    def _phones_in(self, text: str) -> list[Phone]:
        return self._without_placeholders(phones_in(text, self.country))

    def _certain_phones_in(self, text: str) -> list[Phone]:
        phone = certain_phone(text, self.country)
        return self._without_placeholders([phone] if phone else phones_among(text, self.country))

    def _without_placeholders(self, phones: Iterable[Phone]) -> list[Phone]:
        return [p for p in phones if _COUNTED.search(p.e164) is None or not is_placeholder("phone", p.e164)]

    def _addresses(self, emails: Iterable[str]) -> list[str]:
        return [email for email in emails if not is_unusable("email", email)]

    def _add(self, name: str, phones: Sequence[Phone], emails: Sequence[str] = ()) -> bool:
        for phone in phones:
            if len(self.phones) < MOST:
                self.phones.setdefault(phone.e164, phone)
        for email in emails:
            if len(self.emails) < MOST:
                self.emails[email] = None
        if not (phones or emails):
            return False
        self.taken.add(name)
        self.has_phone = self.has_phone or bool(phones)
        return True
