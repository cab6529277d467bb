"""What was escaped, encoded or cut on its way is read as it was meant, as far as that is certain."""

import json
import unicodedata
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.connector import Delivery
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors.formats.bodies import URLENCODED, Body, read_body
from services.connectors.formats.exact_json import decode
from services.connectors.formats.repairs import repaired
from services.connectors.formats.truncated_json import complete_part
from tests.support.connector_deliveries import connection, json_post, only
from tests.support.rehearse import form

CUT = "The JSON was cut off on its way; what came whole of it was read."
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s'


def body_of(body: bytes, content_type: str) -> Body:
    return read_body(Delivery({"content-type": content_type}, body, Micros(0)))


def misread(text: str, charset: str) -> str:
    """UTF-8 that somebody took for another charset."""
    return "".join(bytes([byte]).decode(charset, "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("charset", ["cp1252", "cp1251", "latin-1", "mac_roman", "cp866", "koi8-r"])
@pytest.mark.parametrize("name", ["Олена Дідух", "Роман Рись", "Щур Юрій", "Їжак"])
def test_utf8_that_was_read_as_another_charset(name: str, charset: str) -> None:
    assert repaired(misread(name, charset)) == name
    if charset in ("cp1252", "cp1251", "latin-1"):
        assert repaired(misread(misread(name, charset), charset)) == name


def test_windows_1251_that_was_read_as_latin_letters() -> None:
    assert repaired("Îëåíà Ä³äóõ") == "Олена Дідух"
    assert repaired("José Muñoz, Ñandú, Åsa, Þóra, jäääär, ÄÖÜ") == "José Muñoz, Ñandú, Åsa, Þóra, jäääär, ÄÖÜ"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("&#1054;&#1083;&#1077;&#1085;&#1072;", "Олена"),
        ("&#x41E;&#x43B;&#x435;&#x43D;&#x430;", "Олена"),
        ("&amp;#1053;&amp;#1110;&amp;#1085;&amp;#1072;", "Ніна"),
        ("&amp;amp;#1053;іна", "Ніна"),
        ("Дар&#039;я", "Дар'я"),
        ("Дар&#39;я Лук&apos;яненко", "Дар'я Лук'яненко"),
        ("ТОВ &quot;Ромашка&quot;", 'ТОВ "Ромашка"'),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("1&nbsp;250 грн", "1\u00a0250 грн"),
        ("&lt;b&gt;", "<b>"),
        ("%D0%9E%D0%BB%D0%B5%D0%BD%D0%B0+%D0%94", "Олена Д"),
        ("\\u041e\\u043b\\u0435\\u043d\\u0430", "Олена"),
        (unicodedata.normalize("NFD", "Андрій Їжак"), "Андрій Їжак"),
        ("a\0b", "a\ufffdb"),
        ("\ufeffОлена", "Олена"),
        ("Дар\\'я", "Дар'я"),
        ('ТОВ \\"Ромашка\\"', 'ТОВ "Ромашка"'),
        ("=?UTF-8?B?0J7Qu9C10L3QsA==?=", "Олена"),
        ("=?windows-1251?Q?=CE=EB=E5=ED=E0?=", "Олена"),
    ],
)
def test_escapes_that_were_put_on_twice_are_taken_off(text: str, meant: str) -> None:
    assert repaired(text) == meant
    assert body_of(f"x={quote_plus(text)}".encode(), URLENCODED).tree == {"x": meant}
    assert body_of(json.dumps({"x": [text]}).encode(), "application/json").tree == {"x": [meant]}


@pytest.mark.parametrize(
    "text",
    [
        "R&D &amp; co",
        "a < b &amp;&amp; c",
        "&notanentity; &;",
        "AT&T",
        "https://shop.example/%D0%9E?a=1&b=2",
        "100%AB знижка",
        "C:\\users\\u1234",
        "it's \\'quoted\\'",
        'C:\\new\\"x"',
        "=?UTF-8?B?not base64?=",
        "РІ",
        "ВІ СІЧ",
        "ТЕРНОПІЛЬ, ВУЛ. РІЧНА, С. ПІДГАЙЦІ",
        "Пр-т Миру — 5, «Роксолана»",
        "Ðuro Ðaković",
        "naïve œuvre",
        "Thảo Đặng",
        "Добрий день 😀",
    ],
)
def test_what_may_be_meant_as_it_stands_stays(text: str) -> None:
    assert repaired(text) == unicodedata.normalize("NFC", text)


@given(st.text(alphabet="абвгґдеєжзиіїйклмнопрстуфхцчшщьюяАБВГҐІЇЄРСТЛН ,.-'’0123456789"))
def test_ukrainian_words_are_never_changed(text: str) -> None:
    assert repaired(text) == text


@given(st.text())
def test_any_text_is_mended_once_for_all(text: str) -> None:
    once = repaired(text)
    assert "\0" not in once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"a":"x\ny\t","b":[1,2,],}', {"a": "x\ny\t", "b": [1, 2]}),
        ('{"name":"ТОВ "Ромашка"","phone":"067"}', {"name": 'ТОВ "Ромашка"', "phone": "067"}),
        ("{'name': 'Олена', 'ok': True, 'x': None}", {"name": "Олена", "ok": True, "x": None}),
        ("{'name': \"Дар'я\", 'n': 'Дар\\'я'}", {"name": "Дар'я", "n": "Дар'я"}),
        ('{name: "Олена", phone: "067"}', {"name": "Олена", "phone": "067"}),
        ('{"a":"x\0y"}', {"a": "x\ufffdy"}),
    ],
)
def test_json_written_by_hand(written: str, value: object) -> None:
    assert decode(written) == value
    assert decode(written.encode()) == value


@pytest.mark.parametrize("written", ['{"a":"x" "b":"y"}', '{"a":1,,}', '{"a":NaN}', "{a}", "[1", '{"a" 1}'])
def test_json_that_may_mean_anything_is_none(written: str) -> None:
    with pytest.raises(Malformed, match="It is not JSON"):
        decode(written)


def test_of_json_that_was_cut_off_whole_fields_are_read() -> None:
    whole = '{"name":"Олена","phone":"0671234567","n":12,"inner":{"x":["y","z"]},"comment":"Хочу \\"чай\\""}'
    read = {"name": "Олена", "phone": "0671234567", "n": 12, "inner": {"x": ["y", "z"]}, "comment": 'Хочу "чай"'}
    for length in range(16, len(whole)):
        tree = complete_part(whole[:length])
        assert all(value == read[name] or str(value)[-1] == "\ufffd" or name == "inner" for name, value in tree.items())
    assert complete_part(whole[:38]) == {"name": "Олена", "phone": "0671234567"}
    assert complete_part(whole[:30]) == {"name": "Олена", "phone": "06712\ufffd"}
    body = body_of(whole[:60].encode(), "application/json")
    assert body.damage == CUT
    assert body.tree["phone"] == "0671234567"
    with pytest.raises(Malformed, match="It is not JSON: Input data was truncated"):
        body_of(whole[:10].encode(), "application/json")


def test_of_a_multipart_that_was_cut_off_whole_parts_are_read() -> None:
    """A cut multipart lay in quarantine, with a name and a phone in it."""
    begin = PART % (b"name", "Олена".encode()) + b"\r\n" + PART % (b"phone", b"0671234567")
    media = "multipart/form-data; boundary=b"
    for end in (b"\r\n", b"\r\n--", b"\r\n--b", b"\r\n--b\r\n", b"\r\n--b\r\nContent-Dispo"):
        assert body_of(begin + end, media).tree == {"name": "Олена", "phone": "0671234567"}
    assert body_of(begin + b"\r\n--b--", media).damage == ""
    cut = body_of(begin, media)
    assert cut.tree == {"name": "Олена", "phone": "0671234567\ufffd"}
    assert cut.damage == "The form was cut off on its way; what came whole of it was read."


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=other", "text/plain", ""]
)
def test_a_boundary_that_the_header_does_not_say(content_type: str) -> None:
    """Scripts that set the content type by hand leave the boundary out."""
    body = PART % (b"name", "Олена".encode()) + b"\r\n--b--\r\n"
    assert body_of(body, content_type).tree == {"name": "Олена"}
    assert body_of(body.replace(b"\r\n", b"\n"), content_type).tree == {"name": "Олена"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"name":"Olena","phone":"067"}', URLENCODED),
        (b'{"name":"Olena","phone":"067"}', "text/html"),
        (b'[{"name":"Olena","phone":"067"}]', "application/json"),
        (b'"{\\"name\\":\\"Olena\\",\\"phone\\":\\"067\\"}"', "application/json"),
        (b"name=Olena&phone=067", "application/json"),
        (b"name=Olena&phone=067", "text/plain;charset=UTF-8"),
        (b"name=Olena&phone=067", "application/octet-stream"),
        (b"name=Olena\r\nphone=067\r\n", "text/plain"),
        (b"name=%u004flena&phone=067", URLENCODED),
    ],
)
def test_a_body_under_a_content_type_that_is_not_its_own(body: bytes, content_type: str) -> None:
    assert body_of(body, content_type).tree == {"name": "Olena", "phone": "067"}


def test_escapes_as_old_javascript_wrote_them() -> None:
    assert body_of(b"name=%u041E%u043B%u0435%u043D%u0430+%uD83D%uDE00", URLENCODED).tree == {"name": "Олена \U0001f600"}


def test_two_names_that_become_one_keep_both_values() -> None:
    body = json.dumps({"Дар'я": "1", "Дар&#39;я": "2"}).encode()
    assert body_of(body, "application/json").tree == {"Дар'я": "1", "Дар&#39;я": "2"}


def test_a_nul_does_not_cost_the_lead() -> None:
    for post in (form({"phone": "0671234567", "c": "a\0b"}), json_post(b'{"phone":"0671234567","c":"a\\u0000b"}')):
        fact = only(connection("form"), post)
        assert fact.phones[0].e164 == "+380671234567"
        assert json.loads(fact.fields["c"]) == "a\ufffdb"
        assert fact.raw.body == post[1]
