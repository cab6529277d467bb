"""vCard 2.1, 3.0 and 4.0: one card is one row, whatever its charset, folding and encoding."""

from pathlib import Path

from tests.support.imports import described, facts, opened, reasons

PHONE = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=9A=D0=BE=D0=B2=D0=B0=D0=BB=D1=8C;=
=D0=9E=D0=BB=D0=B5=D0=BD=D0=B0;;;
TEL;CELL;PREF:+380671234567
TEL;WORK:0501112233
EMAIL;INTERNET:o@example.com
END:VCARD
"""
APPLE = """BEGIN:VCARD\r
VERSION:3.0\r
N:Франко;Іван;Якович;;\r
FN:Іван Франко\r
ORG:Видавництво;Редакція\r
item1.TEL;type=pref:+38 050 765 43 21\r
NOTE:рядок один\\nрядок два\\, з комою і дуже\r
  довгий\r
PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r
X-SKYPE:ivan\r
END:VCARD\r
"""
FOUR = """BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
FN:Марія
TEL;VALUE=uri;TYPE="voice,home":tel:+380-93-111-22-33
EMAIL:m@example.com
BDAY:19900102
END:VCARD
"""


def test_the_three_versions_in_one_file(tmp_path: Path) -> None:
    reading = opened(tmp_path, PHONE + APPLE + FOUR)
    olena, ivan, maria = facts(reading)
    assert described(reading).format == "vcard"
    assert (olena.name, [phone.e164 for phone in olena.phones]) == ("Олена Коваль", ["+380671234567", "+380501112233"])
    assert (olena.key, olena.emails) == ("o@example.com", ("o@example.com",))
    assert (ivan.name, ivan.phones[0].e164) == ("Іван Франко", "+380507654321")
    assert ivan.fields == {
        "Company": '"Видавництво, Редакція"',
        "Notes": '"рядок один\\nрядок два, з комою і дуже довгий"',
        "Other": '"x-skype: ivan"',
    }
    assert (maria.key, maria.phones[0].e164) == ("urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1", "+380931112233")


def test_a_card_that_does_not_end_costs_itself_alone(tmp_path: Path) -> None:
    reading = opened(
        tmp_path, FOUR + "BEGIN:VCARD\nFN:Ann\n" + FOUR.replace("Марія", "Ганна") + "BEGIN:VCARD\nFN:Eve\n"
    )
    assert [fact.name for fact in facts(reading)] == ["Марія", "Ганна"]
    assert list(reasons(reading).values()) == [
        "The card has no END:VCARD.",
        "The card has no END:VCARD: the file was cut.",
    ]


def test_a_card_in_windows_1251_is_read(tmp_path: Path) -> None:
    (fact,) = facts(
        opened(
            tmp_path,
            PHONE.replace("N;CHARSET", "X-N;CHARSET").replace("TEL;CELL", "FN:Олена Коваль\nTEL;CELL").encode("cp1251"),
        )
    )
    assert fact.name == "Олена Коваль"
