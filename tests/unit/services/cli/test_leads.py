"""What is at risk while a delivery waits in quarantine, and how loudly `crm doctor` says so."""

import pytest

from crm.connector_catalogue import connectors_of
from crm.contract.codec import TYPE_NAMES
from crm.events import FactQuarantined
from crm.facts import DeliveryQuarantined
from crm.leads import identifiers_in
from crm.shared import Raw
from projections.quarantine import quarantine, risk
from services.cli.doctor.checks import Finding
from services.cli.doctor.risks import at_risk
from services.cli.doctor.snapshot import AtRisk
from services.connectors import CONNECTORS
from tests.support.projection_events import row_of
from tests.support.scenarios import NOON, given, meta

HOUR = 3_600_000_000


def came(connector: str, body: bytes) -> FactQuarantined:
    """As decide puts it into the journal."""
    fact = DeliveryQuarantined(meta("broken"), Raw("text/plain", {}, "", body), connector, "it cannot be read")
    (event,) = given().when(fact).events
    assert isinstance(event, FactQuarantined)
    return event


@pytest.mark.parametrize(
    ("body", "phones", "emails"),
    [
        (b"name=Olena&phone=%2B38+%28067%29+123-45-67", ["+380671234567"], []),
        (b"phone=0671234567&phone2=067+123+45+67", ["+380671234567"], []),
        ("Олена, 067 123 45 67 або 050-123-45-68".encode(), ["+380671234567", "+380501234568"], []),
        (b'{"tel": "\\u002B380671234567", "mail": "Olena.K@Example.ua"', ["+380671234567"], ["olena.k@example.ua"]),
        (b"mail=olena%40example.ua&x=%FF%FE", [], ["olena@example.ua"]),
        ("тел. +48 601 234 567".encode("utf-16"), ["+48601234567"], []),
        (b'{"at": 1791190920000, "id": 102938475610, "sum": 125000, "uuid": "0671234567ab"}', [], []),
        (b"a@b, @c.ua, img@2x and 12.11.2026 10:00", [], []),
        (b"\x00\xff\x80 067 123", [], []),
        (b"", [], []),
    ],
)
def test_numbers_and_addresses_in_the_bytes_of_any_format(body: bytes, phones: list[str], emails: list[str]) -> None:
    event = came("monobank", body)
    assert (list(event.phones), list(event.emails)) == (phones, emails)
    assert row_of(quarantine, event).at_risk == ("lead" if phones or emails else "payment")


def test_a_number_is_read_as_it_is_dialled_in_the_workspaces_country() -> None:
    assert (
        identifiers_in(b"tel=0521+234+567", "UA")
        == identifiers_in(b"tel=052 123 45 67", "UA")
        == (("+380521234567",), ())
    )
    assert identifiers_in(b"tel=06 12 34 56 78", "FR") == (("+33612345678",), ())


def test_it_ends_soon_on_anything() -> None:
    """A regular expression that goes back and forth would take minutes on each of these."""
    for body in (b"0" * 65_536, b"+" * 65_536, b"a@" * 32_768, b"a." * 32_768, b"0 " * 32_768, b"%" * 65_536):
        assert identifiers_in(body, "UA") == ((), ())


@pytest.mark.parametrize(
    ("connector", "risk"),
    [
        *((name, "lead") for name in ("form", "telegram", "binotel", "FormSubmitted", "of tomorrow")),
        *((name, "payment") for name in ("liqpay", "monobank", "PaymentReported")),
        *((name, "") for name in ("kafka", "ObjectReported")),
    ],
)
def test_what_is_at_risk_without_a_number(connector: str, risk: str) -> None:
    """A form that cannot be read at all may be anybody's; entries of releases before have no numbers noted."""
    assert row_of(quarantine, came(connector, b"{")).at_risk == risk


def test_a_report_of_an_object_is_nobody_who_waits() -> None:
    """A shop's objects that came before their type was defined were 50,000 people to call back."""
    assert row_of(quarantine, came("ObjectReported", b'{"tel": "067 123 45 67"}')).at_risk == ""


def test_all_connectors_that_only_report_payments_are_known() -> None:
    assert {name for name, connector in CONNECTORS.items() if connector.family == "banking"} == connectors_of("banking")
    assert {name for name in (*CONNECTORS, *TYPE_NAMES.values()) if risk(name, False) == "payment"} == {
        *connectors_of("banking"),
        "PaymentReported",
    }


def test_doctor_fails_while_somebody_waits() -> None:
    """The bug: a lead lay in quarantine for days, and doctor said that all is well until there were 100 an hour."""
    waiting = [AtRisk("lead", "binotel", 1, NOON - 3 * HOUR), AtRisk("lead", "form", 2, NOON - 50 * HOUR)]
    assert at_risk(waiting, NOON) == [
        Finding(
            "leads",
            False,
            "3 deliveries in quarantine may be people waiting for an answer: binotel (1), form (2); the oldest arrived "
            "2 d ago. Call them back first: `crm quarantine list --leads` shows numbers and addresses, "
            "`crm quarantine show ID` the whole delivery. Then run `crm quarantine reparse --all`; close what still "
            'cannot be read with `crm quarantine discard ID --reason "called back"`.',
        )
    ]


def test_doctor_names_payments_that_wait() -> None:
    assert at_risk([AtRisk("payment", "liqpay", 1, NOON - 90_000_000)], NOON) == [
        Finding(
            "payments",
            False,
            "1 delivery in quarantine may be payments that are missing on their deals: liqpay (1); the oldest arrived "
            "90 s ago. `crm quarantine list` shows the reasons. `crm quarantine reparse --all` reads them with this "
            "version; enter what still cannot be read by hand, then run `crm quarantine discard ID --reason booked`.",
        )
    ]


def test_doctor_is_content_when_nobody_waits() -> None:
    assert at_risk([], NOON) == [Finding("leads", True, "Nobody in quarantine is waiting for an answer.")]
