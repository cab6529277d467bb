"""Forms that come as written text."""

import pytest

from crm.errors import Malformed
from services.connectors.formats.text_forms import lines_or_message, xml_fields

BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a><name>&c;</name></a>'


@pytest.mark.parametrize(
    "body", [BOMB, BOMB.decode().encode("utf-16"), b"<html><p>502</p></html>", b"<a/>", b"<a>", b"<a>1</a>"]
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="XML or HTML"):
        xml_fields(body, "")


def test_nothing_is_nested_without_end() -> None:
    with pytest.raises(Malformed, match="deeper than 32"):
        xml_fields(b"<a>" * 10_000 + b"1" + b"</a>" * 10_000, "")


def test_elements_of_one_name_are_a_list() -> None:
    body = b"<x:lead xmlns:x='u'><x:name>Ira</x:name><tag>a</tag><tag>b</tag><f name='Phone'>1</f></x:lead>"
    assert xml_fields(body, "") == {"name": "Ira", "tag": ["a", "b"], "f": {"name": "Phone", "value": "1"}}


def test_lines_without_a_label_are_the_message() -> None:
    assert lines_or_message("New lead\r\nName: Ira\r\n\r\nPhone:1\r\n") == {
        "Name": "Ira",
        "Phone": "1",
        "text": "New lead",
    }
    assert lines_or_message("see https://x.example: soon") == {"text": "see https://x.example: soon"}
