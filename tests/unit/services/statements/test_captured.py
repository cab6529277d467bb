"""Every captured statement, read where it lies, with what it comes to; and two libraries, where they are right."""

import warnings
from collections import Counter
from decimal import Decimal

import mt940 as library
import pytest
from pycamt.parser import Camt053Parser

from crm.currencies import DECIMALS
from services.statements.lines import Assumed, sums_of
from services.statements.reading import check_chain, read
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER

# Statements, lines, what the booked ones come to, rows that were left out, balances that do not add up, gaps.
EXPECTED: dict[str, tuple[int, int, dict[str, int], int, int, int]] = {
    "camt/business_sample_camt.052.001.04.xml": (1, 2, {"SEK": -20000000}, 0, 0, 0),
    "camt/business_sample_camt.053.001.04.xml": (1, 3, {"SEK": -6432150}, 0, 0, 0),
    "camt/business_sample_camt.054.001.04.xml": (1, 1, {"SEK": 10567850}, 0, 0, 0),
    "camt/test-camt053-no-ntry.xml": (1, 0, {}, 0, 0, 0),
    "camt/test-camt053-txdtls.xml": (1, 2, {"CHF": 348300}, 0, 0, 0),
    "camt/test-camt053.xml": (1, 4, {"EUR": -1299}, 0, 1, 0),
    "camt/test-camt054.xml": (1, 1, {"EUR": 500}, 0, 0, 0),
    "mt940/ASNB__mt940.txt": (31, 8, {"EUR": 5694}, 0, 0, 0),
    "mt940/betterplace__empty_86.sta": (0, 0, {}, 1, 0, 0),
    "mt940/betterplace__sepa_mt9401.sta": (26, 97, {"EUR": -926913590}, 0, 0, 0),
    "mt940/betterplace__with_binary_character.sta": (2, 4, {"EUR": -17906675}, 0, 0, 0),
    "mt940/citi__mt940.txt": (1, 3, {"USD": -114275}, 0, 0, 0),
    "mt940/cmxl__mt940.sta": (3, 5, {"EUR": 220000, "PLN": 1004000}, 13, 0, 0),  # one is in German marks
    "mt940/jejik__abnamro.sta": (2, 10, {"EUR": -34593}, 0, 2, 1),
    "mt940/jejik__generic.sta": (2, 2, {"EUR": -2000}, 0, 0, 0),
    "mt940/jejik__ing.sta": (1, 7, {"EUR": -4559}, 0, 1, 0),
    "mt940/jejik__postfinance.sta": (2, 4, {"CHF": 15940}, 0, 1, 0),
    "mt940/jejik__rabobank-iban.sta": (2, 4, {"EUR": -7000}, 0, 0, 0),
    "mt940/mBank__mt940.sta": (1, 3, {"PLN": 3}, 0, 0, 0),
    "mt940/mBank__mt942.sta": (1, 3, {"PLN": 3}, 0, 0, 0),
    "mt940/sberbank__171011_01234945.sta": (1, 3, {"HUF": -943700}, 0, 0, 0),
    "mt940/self-provided__february_30.sta": (1, 1, {"EUR": -600}, 0, 0, 0),
    "mt940/self-provided__mt942.sta": (1, 1, {"EUR": -42}, 0, 1, 0),
    "mt940/self-provided__multiline.sta": (1, 1, {"EUR": -500}, 1, 0, 0),
    "mt940/self-provided__raphaelm.sta": (3, 0, {}, 15, 0, 0),  # all in German marks
    "mt940/self-provided__sparkassen.sta": (0, 0, {}, 2, 0, 0),  # a piece without account and currency
}
# Where mt-940 is not right: a file that it refuses whole, one with reversals of credits, which it gives a plus, and
# lines whose currency it takes from another account of the file.
NOT_BY_MT940 = {
    "mt940/ASNB__mt940.txt",
    "mt940/betterplace__sepa_mt9401.sta",
    "mt940/self-provided__multiline.sta",
    "mt940/betterplace__empty_86.sta",
}
# Where pycamt is not right: amounts of another currency than the account's, and camt.054 not at all.
NOT_BY_PYCAMT = {name for name in EXPECTED if "business_sample" in name or "054" in name}


def test_every_captured_statement_is_expected() -> None:
    """A sample that is added later is looked at too."""
    if FOLDER.is_dir():
        found = {
            f"{path.parent.name}/{path.name}"
            for path in (*(FOLDER / "camt").iterdir(), *(FOLDER / "mt940").iterdir())
            if not path.name.endswith((".yml", ".pydata"))
        }
        assert found == set(EXPECTED)


@needs_samples
@pytest.mark.parametrize("name", EXPECTED)
def test_a_captured_statement_comes_to_what_is_expected(name: str) -> None:
    reading = read((FOLDER / name).read_bytes(), Assumed())
    check_chain(reading.statements)
    checks = [check for statement in reading.statements for check in statement.checks]
    lines = [line for statement in reading.statements for line in statement.lines]
    assert (
        len(reading.statements),
        len(lines),
        sums_of(lines),
        len(reading.problems),
        sum("add up" in check for check in checks),
        sum("one before" in check for check in checks),
    ) == EXPECTED[name]
    assert all(line.account and line.currency and line.amount_minor for line in lines)


@needs_samples
@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("mt940/") and name not in NOT_BY_MT940])
def test_mt940_of_the_registry_finds_the_same_sums(name: str) -> None:
    body = (FOLDER / name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = library.parse(body.decode("utf-8", "replace"))
    theirs = Counter(
        minor(one.data["amount"].amount, one.data["amount"].currency)
        for one in found
        if one.data["amount"].currency in DECIMALS and one.data["amount"].amount
    )
    assert lines_of(name) == theirs


@needs_samples
@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("camt/") and name not in NOT_BY_PYCAMT])
def test_pycamt_finds_the_same_sums(name: str) -> None:
    found = Camt053Parser((FOLDER / name).read_bytes()).get_transactions()
    theirs = Counter(
        minor(Decimal(one["Amount"]) * (-1 if one["CreditDebitIndicator"] == "DBIT" else 1), one["Currency"])
        for one in found
    )
    assert lines_of(name) == theirs


def minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(DECIMALS[currency]))


def lines_of(name: str) -> Counter[int]:
    reading = read((FOLDER / name).read_bytes(), Assumed())
    return Counter(line.amount_minor for statement in reading.statements for line in statement.lines)


@needs_samples
def test_reversals_make_the_balances_of_a_captured_file_add_up() -> None:
    """All 26 statements of it add up, two of them with reversals of 204.88 EUR that the library gives a plus."""
    name = "mt940/betterplace__sepa_mt9401.sta"
    body = (FOLDER / name).read_bytes()
    reversals = [line.amount_minor for one in read(body, Assumed()).statements for line in one.lines if line.reversal]
    theirs = Counter(one.data["amount"].amount for one in library.parse(body.decode()))
    assert (reversals, theirs[Decimal("204.88")], lines_of(name)[20488]) == ([-20488, -20488], 3, 1)


@needs_samples
def test_what_a_line_says() -> None:
    mbank, rabo, batch = (
        [line for statement in read((FOLDER / name).read_bytes(), Assumed()).statements for line in statement.lines]
        for name in ("mt940/mBank__mt940.sta", "mt940/jejik__rabobank-iban.sta", "camt/test-camt053-txdtls.xml")
    )
    assert (mbank[0].bank_reference, mbank[0].account, str(mbank[0].day)) == (
        "MB170119012058",
        "PL29114010810000267002001002",
        "2017-01-19",
    )
    assert (rabo[1].name, rabo[1].purpose) == ("JOHN DOE", "Reference 201301234")
    assert [(line.amount_minor, line.reference, line.iban) for line in batch] == [
        (218700, "302388292000011111111111111", "CH2222000000123456789"),
        (129600, "302388292000022222222222222", "CH3333000000123456789"),
    ]
