"""Bytes become the letters that their sender saw, whatever the header says."""

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.formats.bodies import URLENCODED, read_body
from services.connectors.formats.charset import charset_named, decode_each, from_wide_charset
from services.connectors.formats.exact_json import Tree

NAMES = [
    "Олена Дідух",
    "Євгенія Кіщук",
    "Юрій Щур",
    "Яна",
    "Київ",
    "олена",
    "ОЛЕНА",
    "Дар'я",
    "Мотря Гілка",
    "Ґудзь Їжак",
]
LATIN = ["José Muñoz", "Jörg Weiß", "Zoë Müller", "François Lefèvre"]


def tree_of(body: bytes, content_type: str = URLENCODED) -> Tree:
    return read_body(Delivery({"content-type": content_type}, body, Micros(0))).tree


def urlencoded(fields: dict[str, str], charset: str = "utf-8") -> bytes:
    return "&".join(
        f"{quote_plus(n.encode(charset))}={quote_plus(v.encode(charset))}" for n, v in fields.items()
    ).encode()


def posted(fields: dict[str, str], charset: str, header: str, form: str) -> Tree:
    """The same fields, as each way of posting writes them."""
    if form == "json":
        return tree_of(json.dumps(fields, ensure_ascii=False).encode(charset), f"application/json{header}")
    if form == "multipart":
        parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        return tree_of("".join([*parts, "--b--\r\n"]).encode(charset), f"multipart/form-data; boundary=b{header}")
    return tree_of(urlencoded(fields, charset), URLENCODED + header)


@pytest.mark.parametrize("form", ["urlencoded", "json", "multipart"])
@pytest.mark.parametrize("header", ["", "; charset=UTF-8", "; charset=windows-1251", "; charset=iso-8859-1"])
@pytest.mark.parametrize("charset", ["utf-8", "cp1251"])
def test_what_a_header_says_is_no_proof(charset: str, header: str, form: str) -> None:
    """UTF-8 under windows-1251 was mojibake, and windows-1251 under UTF-8 cost the whole form."""
    for name in NAMES:
        fields = {"name": name, "phone": "0671234567"}
        assert posted(fields, charset, header, form) == fields


@pytest.mark.parametrize("form", ["urlencoded", "json", "multipart"])
@pytest.mark.parametrize("charset", ["koi8-u", "cp1125", "iso8859-5", "mac_cyrillic"])
def test_short_names_in_rare_charsets_that_nobody_says(charset: str, form: str) -> None:
    for name in ("Олена Дідух", "Юрій Щур", "Мотря Гілка", "Сергій", "Київ"):
        fields = {"name": name, "city": "Львів"}
        assert posted(fields, charset, "", form) == fields


@pytest.mark.parametrize("form", ["urlencoded", "json", "multipart"])
@pytest.mark.parametrize(("charset", "header"), [("cp1252", "; charset=iso-8859-1"), ("cp1252", ""), ("utf-8", "")])
def test_names_in_latin_letters(charset: str, header: str, form: str) -> None:
    for name in LATIN:
        assert posted({"name": name}, charset, header, form) == {"name": name}


@pytest.mark.parametrize(
    ("name", "charset"), [("Łukasz Żak", "cp1250"), ("Małgorzata Wójcik", "iso8859-2"), ("Dvořák", "cp1250")]
)
def test_polish_and_czech_names(name: str, charset: str) -> None:
    assert posted({"name": name}, charset, "", "urlencoded") == {"name": name}
    assert posted({"name": name}, charset, f"; charset={charset}", "urlencoded") == {"name": name}


@pytest.mark.parametrize("text", ["запис", "Передзвоніть завтра", "100 €", "Дякую 😀"])
@pytest.mark.parametrize("form", ["urlencoded", "json", "multipart"])
def test_a_letter_that_is_cut_costs_itself(text: str, form: str) -> None:
    """A label cut in the middle of a letter turned the name into mojibake."""
    cut = text.encode()[:-1]
    bodies = {
        "urlencoded": (urlencoded({"name": "Олена", "utm_content": ""}) + quote_plus(cut).encode(), URLENCODED),
        "json": ('{"name":"Олена","utm_content":"'.encode() + cut + b'"}', "application/json"),
        "multipart": (
            '--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nОлена\r\n'.encode()
            + b'--b\r\nContent-Disposition: form-data; name="utm_content"\r\n\r\n' + cut + b"\r\n--b--",
            "multipart/form-data; boundary=b",
        ),
    }  # fmt: skip
    assert tree_of(*bodies[form]) == {"name": "Олена", "utm_content": text[:-1] + "\ufffd"}


@pytest.mark.parametrize("charset", ["cp1251", "koi8-u"])
def test_each_field_has_its_own_charset(charset: str) -> None:
    body = urlencoded({"name": "Юрій Щур"}) + b"&" + urlencoded({"utm_campaign": "осінь"}, charset)
    assert tree_of(body) == {"name": "Юрій Щур", "utm_campaign": "осінь"}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", URLENCODED])
@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_and_wide_letters(charset: str, content_type: str) -> None:
    fields = {"name": "Вікентій Олійник", "phone": "0671234567"}
    assert tree_of(json.dumps(fields, ensure_ascii=False).encode(charset), content_type) == fields
    assert tree_of("name=Вікентій&phone=067".encode(charset), "text/plain") == {"name": "Вікентій", "phone": "067"}


def test_a_letter_that_two_charsets_have_is_read_as_the_word_it_makes() -> None:
    """In UTF-8 the bytes of "Ні" in windows-1251 are one letter that nobody writes."""
    assert decode_each(["Ні".encode("cp1251")], "") == ["Ні"]
    assert decode_each(["Ελένη".encode()], "") == ["Ελένη"]
    assert decode_each(["Þóra".encode(), "Đặng".encode()], "") == ["Þóra", "Đặng"]


def test_charsets_of_other_scripts_are_believed_when_they_are_named() -> None:
    assert posted({"name": "山田"}, "shift_jis", "; charset=Shift_JIS", "urlencoded") == {"name": "山田"}
    assert posted({"name": "Ελένη"}, "iso8859-7", "; charset=iso-8859-7", "urlencoded") == {"name": "Ελένη"}
    assert posted({"name": "Олена"}, "utf-8", "; charset=Shift_JIS", "urlencoded") == {"name": "Олена"}


def test_a_browser_says_its_charset_in_a_field() -> None:
    body = urlencoded({"name": "Іва", "_charset_": "koi8-u"}, "koi8-u")
    assert tree_of(body)["name"] == "Іва"


@pytest.mark.parametrize(
    ("said", "charset"),
    [
        ("UTF-8", "utf-8"),
        ('"utf8"', "utf-8"),
        ("windows-1251", "cp1251"),
        ("ISO-8859-1", "cp1252"),
        ("KOI8-U", "koi8-u"),
        ("rot13", ""),
        ("unicode_escape", ""),
        ("idna", ""),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_what_a_header_may_name(said: str, charset: str) -> None:
    assert charset_named(said) == charset


def test_an_emoji_as_java_writes_it() -> None:
    assert decode_each(["Дякую ".encode() + b"\xed\xa0\xbd\xed\xb8\x80"], "") == ["Дякую \U0001f600"]


@given(st.lists(st.binary(max_size=40), max_size=4), st.sampled_from(["", "utf-8", "cp1251", "cp1252", "shift_jis"]))
@settings(deadline=None)
def test_any_bytes_are_text(texts: list[bytes], declared: str) -> None:
    decoded = decode_each(texts, declared)
    assert len(decoded) == len(texts)
    assert "".join(decoded).encode().decode() == "".join(decoded)
    assert from_wide_charset(b"".join(texts)) is not None


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=12))
@settings(deadline=None)
def test_utf8_of_some_length_is_utf8(text: str) -> None:
    assert decode_each([text.encode()], "") == [text]
