"""HTML of mails: what is safe to show, and what it says as text."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import nh3

MOST = 200_000  # characters of HTML that is safe to show; longer HTML is in the raw bytes alone
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
_TAGS = nh3.ALLOWED_TAGS - {"map", "area"}
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_LINES_OF_THEIR_OWN = """
    address article aside blockquote br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li
    main nav ol p pre section table td th tr ul
"""
_BLOCKS = frozenset(_LINES_OF_THEIR_OWN.split())
_HIDDEN = frozenset(("head", "script", "style", "title", "template", "noscript"))
# Where a mail that is quoted begins, as the usual mail programs mark it.
_QUOTES = re.compile(
    r"gmail_quote|gmail_attr|yahoo_quoted|protonmail_quote|zmail_extra|moz-cite-prefix|divRplyFwdMsg|appendonsend|"
    r"OLK_SRC_BODY_SECTION|mail-quote-collapse|OutlookMessageHeader|_reply-link|re-quote"
)
_FORWARDED = re.compile(r"forwarded message|переслан", re.IGNORECASE)
_BLANKS, _LINES = re.compile(r"[^\S\n]+"), re.compile(r"\n[^\S\n]*\n\s*")


def sanitised(html: str, inline: Mapping[str, str] | None = None) -> str:
    """Returns HTML without scripts, styles, forms and anything that is loaded from elsewhere. A picture of the mail's
    own, `cid:...`, gets the reference of its file, `sha256:...`. Empty where there is too much of it."""
    if not html.strip():
        return ""
    clean = (cleaner(inline) if inline else _WITHOUT_PICTURES).clean(html).strip()
    return clean if len(clean) <= MOST else ""


def cleaner(inline: Mapping[str, str]) -> nh3.Cleaner:
    def value(tag: str, name: str, value: str) -> str | None:
        if name in ("src", "cite") or value[:4].lower() == "cid:":
            return inline.get(value[4:]) if tag == "img" and name == "src" else None
        return value

    return nh3.Cleaner(tags=_TAGS, attributes=_ATTRIBUTES, attribute_filter=value, url_schemes=_SCHEMES)


_WITHOUT_PICTURES = cleaner({})


class _Text(HTMLParser):
    """Collects the text: of each piece whether it is quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[tuple[bool, str]] = []
        self.open: list[tuple[str, bool, bool]] = []  # tag, whether it is hidden, whether it quotes
        self.rest_quoted = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = " ".join(value or "" for name, value in attrs if name in ("class", "id", "name"))
        quotes = (tag == "blockquote" and ("cite" in names or ("type", "cite") in attrs)) or (
            bool(names) and _QUOTES.search(names) is not None
        )
        if quotes and ("divRplyFwdMsg" in names or "OutlookMessageHeader" in names or "appendonsend" in names):
            self.rest_quoted = True  # what is quoted follows it and is not within it
        if tag in _BLOCKS:
            self.say("\n")
        if tag not in ("br", "img", "hr", "meta", "link", "input", "base", "col", "area", "wbr"):
            self.open.append((tag, tag in _HIDDEN, quotes))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self.open) - 1, max(-1, len(self.open) - 50), -1):
            if self.open[place][0] == tag:
                del self.open[place:]
                break
        if tag in _BLOCKS:
            self.say("\n")

    def handle_data(self, data: str) -> None:
        if not any(hidden for _, hidden, _ in self.open):
            self.say(_BLANKS.sub(" ", data.replace("\n", " ").replace("\r", " ")))

    def say(self, text: str) -> None:
        self.pieces.append((self.rest_quoted or any(quotes for *_, quotes in self.open), text))


def texts_of(html: str) -> tuple[str, str]:
    """Returns what an HTML mail says as text, and what it quotes. What is only forwarded is not quoted."""
    reader = _Text()
    reader.feed(html[: 5 * MOST])
    reader.close()
    said, quoted = (joined(text for is_quoted, text in reader.pieces if is_quoted is one) for one in (False, True))
    if not said or (quoted and _FORWARDED.search(quoted[:200])):
        return joined(text for _, text in reader.pieces), ""
    return said, quoted


def joined(pieces: object) -> str:
    text = "".join(pieces)  # type: ignore[arg-type]  # texts
    lines = (line.strip() for line in _BLANKS.sub(" ", text).split("\n"))
    return _LINES.sub("\n\n", "\n".join(lines)).strip()
