"""What is new in the text of a mail, apart from the mail that it answers and from the signature."""

import re

MOST = 100_000  # characters of a text
_ADDRESS = r"<?[\w.+-]+@[\w.-]+>?"
_WROTE = re.compile(  # "On Tue, 5 Nov 2024 at 10:00, Ivan <ivan@example.com> wrote:", in three lines at most
    r"(?=[^:\n]{0,80}\d)[^\n]{0,250}(?:\n(?!>|\s*$)[^\n]{0,250}){0,2}?"
    r"(?:\b(?:wrote|writes|schrieb(?: [^\n:]{1,80})?|napisał\(a\)|napisał|napisała|pisze"
    r"|escribió|scrisse|ha scritto|a écrit)\s?"
    r"|(?:пише|писав|писала|написав|написала|написав\(ла\)|пишет|писал|писала|написал|написала|написал\(а\))"
    rf"|{_ADDRESS}[\s*]*):[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_BEGINS = re.compile(  # such a line
    r"^(?:on|am|el|il|le|w dniu|dnia|в|у|пн|вт|ср|чт|пт|сб|нд|вс|mon|tue|wed|thu|fri|sat|sun|понеділок|вівторок|середа|"
    r"четвер|п[’'ʼ]ятниця|субота|неділя|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|\d{1,4})\b",
    re.IGNORECASE,
)
_FROM = re.compile(r"^[*_\s]*(?:from|від|от|de|von|od|da)\s?:[*_]?\s", re.IGNORECASE)
_HEADER = re.compile(
    r"^[*_\s]*(?:sent|date|to|subject|cc|надіслано|дата|кому|тема|отправлено|копія|копия|gesendet|an|betreff|wysłano|do|"
    r"temat|envoyé|objet)\s?:[*_]?\s",
    re.IGNORECASE,
)
_EARLIER = (
    "(?:original message|вихідне повідомлення|исходное сообщение|оригінальне повідомлення|ursprüngliche nachricht)"
)
_RULE = re.compile(rf"^\s*(?:[-_=—–*]{{5,}}|-+\s*{_EARLIER}\s*-+)\s*$", re.IGNORECASE)
_ORIGINAL = re.compile(rf"^\s*-{{3,}}\s*{_EARLIER}\s*-{{3,}}\s*$", re.IGNORECASE)
_FORWARD = re.compile(
    r"^[\s>*]*(?:-{3,}\s*(?:forwarded message|пересл\w+ \w+|переадресован\w+ \w+)\s*-*|begin forwarded message:)",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"^--\s*$")
_DEVICE = re.compile(
    r"^(?:(?:sent|get) (?:from|via) (?:my )?(?:\S+ ){0,3}\S+|надіслано (?:з|із|зі) .{1,40}"
    r"|отправлено (?:с|из|со) .{1,40})$",
    re.IGNORECASE,
)


def without_quotes(text: str) -> tuple[str, str]:
    """Returns what is new in a text, and the rest: what it quotes and the signature, in their order.

    A mail that was forwarded is not quoted: it is what its sender wants to say. Where nothing is new, all of it is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")[:MOST]
    if "\n" not in text.strip():
        return text.strip(), ""
    lines = text.split("\n")
    new: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _FORWARD.match(line):
            new += lines[at:]
            break
        if line.startswith(">"):
            rest.append(line)
            at += 1
        elif length := _head(lines, at):
            rest += lines[at : at + length]
            at += length
            following = next((one for one in lines[at:] if one.strip()), "")
            if not following.startswith(">"):  # all that follows is quoted, and nothing marks it
                rest += lines[at:]
                break
        elif _SIGNATURE.match(line) or _headers(lines, at) or _ORIGINAL.match(line):
            rest += lines[at:]
            break
        else:
            new.append(line)
            at += 1
    said = _without_device(new, rest)
    return (said, "\n".join(rest).strip()) if said else (text.strip(), "")


def _head(lines: list[str], at: int) -> int:
    """Of how many lines the one that announces a quote is; 0 for any other."""
    if not _BEGINS.match(lines[at].lstrip(" *_")) or len(lines[at]) > 300:
        return 0
    found = _WROTE.match("\n".join(lines[at : at + 3]))
    return found[0].count("\n") + 1 if found else 0


def _headers(lines: list[str], at: int) -> bool:
    """Whether the headers of an earlier mail begin here, as Outlook writes them: behind a line, or without one."""
    while at < len(lines) and (not lines[at].strip() or _RULE.match(lines[at])):
        if not lines[at].strip() and not any(map(_RULE.match, lines[max(0, at - 2) : at])):
            return False
        at += 1
    block = [line for line in lines[at + 1 : at + 6] if line.strip()]
    return at < len(lines) and _FROM.match(lines[at]) is not None and sum(map(bool, map(_HEADER.match, block))) >= 2


def _without_device(new: list[str], rest: list[str]) -> str:
    """Takes "Sent from my iPhone" off the end."""
    said = "\n".join(new).strip()
    body, _, last = said.rpartition("\n")
    if body.strip() and len(last) <= 60 and _DEVICE.match(last.strip()) and not last.rstrip().endswith("."):
        rest.insert(0, last)
        return body.strip()
    return said
