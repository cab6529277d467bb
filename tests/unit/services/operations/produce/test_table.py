"""Tables become facts: which column goes where, and what is said of a table that cannot."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.operations.produce.sources import FactFile


def facts(path: Path, text: str | bytes, type_name: str = "FormSubmitted", **options: Any) -> list[Any]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(number, json.loads(line)) for number, line in FactFile(path, type_name, **options).lines()]


def test_columns_go_where_their_names_say(tmp_path: Path) -> None:
    row = '"Коваль, Олена", 050 123 45 67 ,Львів,2026-11-01T10:00:00Z,12.50,x'
    text = f"Name,phones,City,occurred at,amount,\n{row}\n,,,,,\n"
    assert facts(tmp_path / "a.csv", text) == [
        (
            2,
            {
                "type": "FormSubmitted",
                "name": "Коваль, Олена",
                "phones": ["050 123 45 67"],
                "fields": {"City": "Львів"},
                "occurred_at": "2026-11-01T10:00:00Z",
                "amount": "12.50",
            },
        )
    ]


def test_columns_are_mapped_and_left_out(tmp_path: Path) -> None:
    text = "Клієнт;Тел 1;Тел 2;Внутрішнє;Кампанія\n17;0501234567;0671234567;x;зима\n"
    mapping = {"Тел 1": "phones", "Тел 2": "phones", "Внутрішнє": "", "Кампанія": "utm.campaign"}
    assert facts(tmp_path / "a.csv", text, mapping=mapping, sender="Клієнт") == [
        (
            2,
            {
                "type": "FormSubmitted",
                "phones": ["0501234567", "0671234567"],
                "fields": {"Клієнт": "17"},
                "utm": {"campaign": "зима"},
                "ordered_by": "17",
            },
        )
    ]


def test_cells_have_the_kind_of_their_field(tmp_path: Path) -> None:
    rows = "c1\tcompleted\tin\t+380501234567\t42\t7\nc2\tanswered\tin\t050\tlong\t\n"
    text = f"call\tphase\tdirection\tphone\ttalk_s\tcustomer\n{rows}"
    first, second = facts(tmp_path / "a.tsv", text, "CallReported", sender="customer")
    assert first[1] | {"phone": ""} == {
        "type": "CallReported",
        "call": "c1",
        "phase": "completed",
        "direction": "in",
        "phone": "",
        "talk_s": 42,
        "ordered_by": "7",
    }
    assert (second[1]["talk_s"], "ordered_by" in second[1]) == ("long", False)  # refused later, with a reason
    text = "channel,chat,chat_kind,message,sender,person\nchat,1,private,1,u,false\n"
    assert facts(tmp_path / "b.csv", text, "MessageReported")[0][1]["person"] is False


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_a_table_of_excel_is_read_in_its_charset(tmp_path: Path, charset: str) -> None:
    text = "name;phones\r\nОлена Коваль-Петренко;0501234567\r\nТарас Шевченко;0671234567\r\n"
    read = facts(tmp_path / "a.csv", text.encode(charset))
    assert [fact["name"] for _, fact in read] == ["Олена Коваль-Петренко", "Тарас Шевченко"]


def test_a_line_break_in_a_cell_is_part_of_it(tmp_path: Path) -> None:
    assert facts(tmp_path / "a.csv", 'name,note\nA,"1\n2"\nB,3\n') == [
        (3, {"type": "FormSubmitted", "name": "A", "fields": {"note": "1\n2"}}),
        (4, {"type": "FormSubmitted", "name": "B", "fields": {"note": "3"}}),
    ]


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (
            "a\n1\n",
            {"type_name": ""},
            "--type takes one of CallReported, ContactReported, DealReported, FormSubmitted,",
        ),
        ("call,colour,shop\n1,2,3\n", {"type_name": "CallReported"}, "has no field for the columns colour, shop."),
        ("a\n1\n", {"mapping": {"b": "name"}}, "--map names the column 'b'; there are a."),
        ("a\n1\n", {"mapping": {"a": "nam"}}, "--map a=nam: FormSubmitted has no field 'nam'."),
        ("a\n1\n", {"sender": "b"}, "--sender names the column 'b'; there are a."),
        ("a,b\n1,2\n1,2,3\n", {}, "Line 3 has 3 cells, and the header names 2 columns."),
        ('a\n"1\n', {}, "Line 2 cannot be read: unexpected end of data."),
        ("", {}, "a.csv is empty."),
        ("a\n1\n", {"charset": "martian"}, "There is no charset 'martian' here."),
    ],
)
def test_a_table_that_does_not_fit_says_why(tmp_path: Path, text: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        facts(tmp_path / "a.csv", text, **{"type_name": "FormSubmitted"} | options)


def test_an_ending_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.xlsx has no ending that is known\. Nothing was sent\."):
        FactFile(tmp_path / "a.xlsx")
