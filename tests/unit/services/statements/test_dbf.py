"""DBF: sums as they stand in the file, charsets of DOS, flags that banks mean either way, and files that are cut."""

import pytest

from services.statements.lines import Assumed, Line, Reading
from services.statements.reading import read
from tests.support.statement_files import OURS, THEIRS, dbf

DBF_FIELDS = [
    ("NDOC", "C", 10, 0),
    ("DT", "D", 8, 0),
    ("ACCCLI", "C", 29, 0),
    ("ACCCOR", "C", 29, 0),
    ("OKPOCOR", "C", 14, 0),
    ("NAMECOR", "C", 38, 0),
    ("DK", "N", 1, 0),
    ("SUMMA", "N", 20, 2),
    ("NAZN", "C", 60, 0),
    ("VAL", "N", 4, 0),
]


def lines(reading: Reading) -> list[Line]:
    return [line for statement in reading.statements for line in statement.lines]


def sums(body: bytes, **assumed: str) -> list[int]:
    return [line.amount_minor for line in lines(read(body, Assumed(**assumed)))]


def record(flag: str, amount: str, purpose: str = "Оплата D-7", deleted: str = "") -> list[str]:
    cells = ["41", "20261005", OURS, THEIRS, "3012345678", "ФОП Ковальчук", flag, amount, purpose, "980"]
    return [deleted, *cells] if deleted else cells


@pytest.mark.parametrize("charset", ["cp866", "cp1125"])
def test_dbf(charset: str) -> None:
    body = dbf(DBF_FIELDS, [record("1", "70000.07"), record("2", "4500.50"), record("2", "9.99", deleted="*")], charset)
    first, second = lines(read(body, Assumed()))
    assert (first.amount_minor, second.amount_minor, second.currency) == (-7000007, 450050, "UAH")
    assert (second.name, second.purpose, second.account, second.iban) == ("ФОП Ковальчук", "Оплата D-7", OURS, THEIRS)


def test_a_flag_of_zero_and_one_needs_an_option() -> None:
    """Oschadbank's exports mean a debit by 1, Ukreximbank's a credit."""
    body = dbf(DBF_FIELDS, [record("1", "10.00"), record("0", "20.00")])
    found = read(body, Assumed())
    assert (lines(found), len(found.problems)) == ([], 1)
    assert "Its column 'DK' says 0 and 1" in found.problems[0].sentence
    assert sums(body, money_out="1") == [-1000, 2000]
    assert sums(body, money_out="0") == [1000, -2000]


def test_a_flag_of_one_alone_needs_an_option_too() -> None:
    assert sums(dbf(DBF_FIELDS, [record("1", "10.00")])) == []


def test_sums_without_decimals_need_an_option() -> None:
    fields = [(name, kind, width, 0) for name, kind, width, _ in DBF_FIELDS]
    body = dbf(fields, [record("1", "1000"), record("2", "2050")])
    found = read(body, Assumed())
    assert (lines(found), len(found.problems)) == ([], 1)
    assert "--sums major or --sums minor" in found.problems[0].sentence
    assert sums(body, sums="minor") == [-1000, 2050]
    assert sums(body, sums="major") == [-100000, 205000]


def test_two_sides_and_our_account_say_which_way_money_went() -> None:
    fields = [
        ("D_DATE", "D", 8, 0),
        ("S_ACOUNT", "C", 29, 0),
        ("R_ACOUNT", "C", 29, 0),
        ("S_NAME", "C", 20, 0),
        ("R_NAME", "C", 20, 0),
    ]
    fields += [("SUMMA", "N", 12, 2), ("DIRECT", "C", 30, 0), ("CURRENCY", "C", 3, 0)]
    records = [
        ["20261005", THEIRS, OURS, "Them", "Us", "10.00", "D-7", "980"],
        ["20261005", OURS, THEIRS, "Us", "Them", "3.00", "x", "980"],
    ]
    found = lines(read(dbf(fields, records), Assumed(account=OURS)))
    assert [(line.amount_minor, line.name, line.account) for line in found] == [
        (1000, "Them", OURS),
        (-300, "Them", OURS),
    ]


def test_a_head_that_promises_four_billion_records_is_a_sentence() -> None:
    body = bytearray(dbf(DBF_FIELDS, [record("1", "1.00"), record("2", "2.00")]))
    body[4:8] = b"\xff\xff\xff\xff"
    found = read(bytes(body), Assumed())
    assert [line.amount_minor for line in lines(found)] == [-100, 200]
    assert "It was cut: 2 of 4294967295 records" in found.problems[0].sentence


def test_a_dbf_that_is_cut_gives_the_records_before() -> None:
    body = dbf(DBF_FIELDS, [record("1", "1.00"), record("2", "2.00"), record("2", "3.00")])
    found = read(body[:-60], Assumed())
    assert [line.amount_minor for line in lines(found)] == [-100, 200]
    assert [one.sentence for one in found.problems] == ["It was cut: 2 of 3 records are there and were read."]
