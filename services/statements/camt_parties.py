"""Who is on the other side of a camt entry, and what the entry is for."""

from typing import Any
from xml.etree.ElementTree import Element

from services.statements.lines import Statement, bare, same_account
from services.statements.xml_paths import path_text, paths

NOT_GIVEN = ("NOTPROVIDED", "NONREF", "NOREF")
FULL = 140  # characters of one Ustrd: a longer text goes on in the next one


def details_in(part: Element | None, entry: Element, out: bool, reference: str, statement: Statement) -> dict[str, Any]:
    """Returns the fields of a line that tell the other side, references and purpose."""
    end_to_end = path_text(part, "Refs/EndToEndId")
    name, account, tax_id = other_side(part, out, statement)
    return {
        "bank_reference": "" if reference.upper() in NOT_GIVEN else reference,
        "end_to_end": "" if end_to_end.upper() in NOT_GIVEN else end_to_end,
        "reference": path_text(part, "RmtInf/Strd/CdtrRefInf/Ref"),
        "name": name,
        "iban": bare(account),
        "tax_id": tax_id,
        "purpose": purpose_in(part, entry),
    }


def other_side(part: Element | None, out: bool, statement: Statement) -> tuple[str, str, str]:
    """Name, account and tax number. A reversal keeps the roles of what it reverses, so our own account says which is
    ours."""
    first, second = (side_of(part, role) for role in (("Cdtr", "Dbtr") if out else ("Dbtr", "Cdtr")))
    ours = first[1] != "" and same_account(first[1], statement.account)
    return second if ours or not any(first) else first


def side_of(part: Element | None, role: str) -> tuple[str, str, str]:
    party = f"RltdPties/{role}"
    name = path_text(part, f"{party}/Nm") or path_text(part, f"{party}/Pty/Nm")
    account = path_text(part, f"{party}Acct/Id/IBAN") or path_text(part, f"{party}Acct/Id/Othr/Id")
    ids = (
        path_text(part, f"{party}{version}/Id/{kind}/Othr/Id")
        for version in ("", "/Pty")
        for kind in ("OrgId", "PrvtId")
    )
    return " ".join(name.split()), account, next(filter(None, ids), "")


def purpose_in(part: Element | None, entry: Element) -> str:
    made, full = "", False
    for one in paths(part, "RmtInf/Ustrd") if part is not None else ():
        text = one.text or ""
        made += text if full or not made else f" {text}"
        full = len(text) >= FULL
    words = made or path_text(part, "AddtlTxInf") or path_text(entry, "AddtlNtryInf")
    return " ".join(words.split())
