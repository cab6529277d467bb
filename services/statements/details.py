"""What the field :86: of MT940 says of a line: German ?20 subfields, /REMI/ codes, or text as people wrote it."""

import re

from msgspec import Struct
from msgspec.structs import replace

WIDTH = 64  # characters of a line of SWIFT: a longer text goes on in the next one, within a word
STRUCTURED = re.compile(r"\d{3}(?P<mark>[^\w\s])(?=\d\d)")
SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|COAM|OAMT|PURP|\bIBAN|\bBIC)\+")
CODED = re.compile(
    r"/(EREF|REMI|BENM|ORDP|CNTP|NAME|ID|ADDR|ISDT|CSID|MARF|TRTP|IBAN|BIC|PREF|RTRN|ACCW|SVCL|USTD|STRD|CUR)/"
)


class Details(Struct, frozen=True, gc=False):
    """Who is on the other side of a line, and what it is for."""

    name: str = ""
    account: str = ""
    tax_id: str = ""
    purpose: str = ""
    end_to_end: str = ""
    reference: str = ""


def details_of(text: str) -> Details:
    if found := STRUCTURED.match(text):
        return structured(text.replace("\n", "")[found.end() - 1 :], found["mark"])
    one = unwrapped(text)
    if len(CODED.findall(one)) > 1 or one.startswith(("/EREF/", "/REMI/", "/ORDP/", "/BENM/", "/CNTP/")):
        return coded(one)
    return Details(purpose=" ".join(one.split()))


def unwrapped(text: str) -> str:
    """Joins the lines: after a full one the text goes on within a word."""
    first, *rest = text.split("\n")
    made, length = first, len(first)
    for line in rest:
        made += line if length >= WIDTH else f" {line}"
        length = len(line)
    return made


def structured(text: str, mark: str) -> Details:
    """Subfields of two digits: 20 to 29 and 60 to 63 purpose, 31 account, 32 and 33 name, 38 IBAN."""
    parts: dict[str, str] = {}
    for part in text.split(mark)[1:]:
        if part[:2].isdecimal():
            parts[part[:2]] = parts.get(part[:2], "") + part[2:]
    purpose = "".join(parts.get(str(number), "") for number in (*range(20, 30), *range(60, 64)))
    name = f"{parts.get('32', '')}{parts.get('33', '')}".strip()
    account = parts.get("38") or parts.get("31", "")
    found = Details(name=" ".join(name.split()), account=account.strip(), purpose=" ".join(purpose.split()))
    return sepa(purpose, found) if SEPA.search(purpose) else found


def sepa(text: str, details: Details) -> Details:
    """The purpose of a SEPA payment names its parts: EREF+ is the payer's reference, SVWZ+ what it is for."""
    parts = SEPA.split(text)
    named = {name: " ".join(said.split()) for name, said in zip(parts[1::2], parts[2::2], strict=True)}
    purpose = named.get("SVWZ") or (" ".join(parts[0].split()) or details.purpose)
    return replace(
        details, purpose=purpose, end_to_end=named.get("EREF", ""), account=details.account or named.get("IBAN", "")
    )


def coded(text: str) -> Details:
    parts = CODED.split(text)
    named: dict[str, str] = {}
    for name, said in zip(parts[1::2], parts[2::2], strict=True):
        named.setdefault(name, " ".join(said.strip("/ ").split()))
    side = named.get("CNTP", "").split("/")  # account, BIC, name, town
    purpose = named.get("REMI", named.get("USTD", ""))
    for code in ("USTD//", "STRD/CUR/"):
        purpose = purpose.removeprefix(code)
    return Details(
        name=named.get("NAME") or (side[2] if len(side) > 2 else ""),
        account=side[0] if side[0] else named.get("IBAN", ""),
        purpose=purpose if "REMI" in named else purpose or " ".join(text.split()),
        end_to_end=named.get("EREF", ""),
    )


def non_swift(text: str) -> Details:
    """Field :NS:, lines that begin with two digits: 01 to 14 purpose, 15 and 16 name, 38 IBAN."""
    parts: dict[str, str] = {}
    for line in text.split("\n"):
        if line[:2].isdecimal():
            parts[line[:2]] = line[2:].strip()
    purpose = " ".join(filter(None, (parts.get(f"{number:02}", "") for number in range(1, 15))))
    name = " ".join(filter(None, (parts.get("15", ""), parts.get("16", ""))))
    return Details(name=name, account=parts.get("38", ""), purpose=purpose)
