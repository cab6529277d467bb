"""`crm statement`: the dry run, what it sends, and what it says of files that are not all right."""

import json
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from crm.connector import Connection
from crm.engine.in_memory import MemoryDecide
from crm.envelope import now
from crm.events import DealPaid, PaymentParked, PaymentRecorded
from crm.scalars import Id
from services.cli import app
from services.cli.commands import statement as command
from services.connectors import CONNECTORS
from services.intake.fact_lines import parse_line
from services.intake.refusals import Verdict
from services.intake.values import LineContext
from tests.support.polled_samples import polled_samples, read
from tests.support.scenarios import SHOP, form, shop
from tests.support.statement_files import OTHERS, OURS, THEIRS, document, exchange, mt940

TOKEN = Id("44444444-4444-4444-8444-444444444444")
CONNECTION = Id("11111111-1111-4111-8111-111111111111")
GOOD = mt940(
    ":61:2610011001C4500,50NTRFNONREF//B1",
    ":86:D-1",
    ":61:2610011001D70,00NTRFNONREF//B2",
    closing="C261001UAH4430,50",
)


class IntakeInMemory:
    """Takes facts as POST /facts does, and decides them: no Kafka and no Postgres."""

    def __init__(self) -> None:
        self.decide, self.seen = MemoryDecide(), dict[Id, str]()
        self.decide.append(*shop())
        self.decide.take(form("deal", phones=["+380501112233"], amount_minor=900_000))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, lines: list[bytes]) -> list[Verdict]:
        return [self.take(line) for line in lines]

    def take(self, line: bytes) -> Verdict:
        fact = parse_line(line, lambda: TOKEN, LineContext(TOKEN, SHOP, now()))
        if fact.meta.id in self.seen:
            return Verdict("repeated", fact.meta.id)
        self.seen[fact.meta.id] = ""
        self.decide.take(fact)
        return Verdict("accepted", fact.meta.id)

    def payments(self) -> set[str]:
        return {event.payment for event in self.decide.journal if isinstance(event, PaymentRecorded)}

    def paid(self) -> int:
        return sum(event.change_minor for event in self.decide.journal if isinstance(event, DealPaid))


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "CRM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_DATA", str(tmp_path / "data"))


@pytest.fixture
def intake(monkeypatch: pytest.MonkeyPatch) -> IntakeInMemory:
    intake = IntakeInMemory()
    monkeypatch.setattr(command, "sender_to", lambda *_: intake)
    return intake


def crm(*words: object) -> Any:
    return CliRunner().invoke(app, ["statement", *map(str, words)])


def saved(folder: Path, name: str, body: bytes) -> Path:
    (folder / name).write_bytes(body)
    return folder / name


def test_the_dry_run_shows_sums_and_balances_and_needs_no_server(tmp_path: Path) -> None:
    file = saved(tmp_path, "a.sta", GOOD)
    result = crm(file, "--dry-run", "--json")
    (found,) = json.loads(result.stdout)
    assert (result.exit_code, found["payments"], found["would_accept"], found["refused"]) == (0, 2, 2, 0)
    assert found["accounts"] == [
        {
            "account": OURS,
            "currency": "UAH",
            "statements": 1,
            "money_in": 450050,
            "count_in": 1,
            "money_out": -7000,
            "count_out": 1,
            "pending": 0,
            "opening": 0,
            "closing": 443050,
            "difference": 0,
        }
    ]
    text = crm(file, "--dry-run").output
    assert "Checked a.sta (MT940), 2 payments: 2 would be accepted." in text
    assert "4500.50" in text
    assert "adds up" in text


def test_sending_it_again_changes_nothing(tmp_path: Path, intake: IntakeInMemory) -> None:
    file = saved(tmp_path, "a.sta", GOOD)
    first = crm(file, "--token", "t")
    assert (first.exit_code, "Sent a.sta (MT940), 2 payments: 2 accepted." in first.output) == (0, True)
    journal = list(intake.decide.journal)
    again = crm(saved(tmp_path, "other name.txt", GOOD), "--token", "t")
    assert (again.exit_code, "2 sent before." in again.output) == (0, True)
    assert intake.decide.journal == journal
    assert intake.paid() == 450050


def test_files_that_overlap_are_sent_once(tmp_path: Path, intake: IntakeInMemory) -> None:
    documents = [document(str(n), "1.00", THEIRS, OURS, f"x {n}", f"0{n}.10.2026") for n in range(1, 7)]
    twins = [documents[2], documents[2]]
    january = saved(tmp_path, "a.txt", exchange(*documents[:3], documents[2]).encode("cp1251"))
    february = saved(tmp_path, "b.txt", exchange(*twins, *documents[3:]).encode("cp1251"))
    result = crm(january, february, "--currency", "UAH", "--token", "t")
    assert (result.exit_code, len(intake.payments())) == (0, 7)  # six days, and two equal ones on the third


def test_a_live_payment_and_its_line_are_one_where_the_banks_reference_proves_it(
    tmp_path: Path, intake: IntakeInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank's answer to a poll, then a statement with both parts of the reference, then one with the first alone."""
    connection = Connection(CONNECTION, SHOP, "privatbank", "secret", {"account": OURS, "currency": "UAH"})

    async def known(*_: object) -> Connection:
        return connection

    monkeypatch.setattr(command, "connection_of", known)
    (sample,) = [one for one in polled_samples() if one.connector.name == "privatbank"]
    for fact in read(sample._replace(connection=connection), sample.page):
        intake.decide.take(fact)
    live = intake.payments()
    text = (
        "Дата операції;Рахунок;Сума;Референс;REFN;Рахунок кореспондента;Кореспондент;Призначення платежу\n"
        f"05.10.2026;{OURS};4 500.50;JBKLOA5CG1X2Y3;1;{THEIRS};ФОП Ковальчук О. П.;Оплата за рахунком 1042, без ПДВ\n"
    )
    file = saved(tmp_path, "a.csv", text.encode("cp1251"))
    result = crm(file, "--connection", CONNECTION, "--token", "t")
    assert (result.exit_code, live, intake.payments()) == (0, live, live)
    without = saved(tmp_path, "b.csv", text.replace(";1;", ";;").encode("cp1251"))
    assert crm(without, "--connection", CONNECTION, "--token", "t").exit_code == 0
    (why,) = {one.why for one in intake.decide.journal if isinstance(one, PaymentParked) and "may be" in one.why}
    assert why.startswith("It may be the payment that privatbank reported as JBKLOA5CG1X2Y3/1: 4500.50 UAH to the same")


def test_what_cannot_be_read_is_said_and_the_rest_goes_in(tmp_path: Path, intake: IntakeInMemory) -> None:
    text = exchange(
        document("1", "1.00", THEIRS, OURS, "x"),
        document("2", "1,000", THEIRS, OURS, "y"),
        document("3", "1.00", THEIRS, OTHERS, "z"),
    )
    result = crm(saved(tmp_path, "a.txt", text.encode("cp1251")), "--currency", "uah", "--token", "t")
    assert (result.exit_code, len(intake.payments())) == (1, 1)
    assert "Sent a.txt (1CClientBankExchange), 1 payment: 1 accepted." in result.output
    assert "Line 18: It cannot be read: '1,000' cannot be read as one certain sum of money." in result.output
    assert "neither its payer nor its payee is an account of this statement." in result.output


def test_a_statement_of_another_account_is_left_out(tmp_path: Path, intake: IntakeInMemory) -> None:
    body = GOOD + mt940(":61:2610011001C1,00NTRFNONREF//B9", account=OTHERS)
    result = crm(saved(tmp_path, "a.sta", body), "--account", OURS, "--token", "t")
    assert (result.exit_code, len(intake.payments())) == (1, 2)
    assert f"It has a statement of another account, {OTHERS}, of 1 lines: left out." in result.output


def test_a_file_of_two_gigabytes_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(2 << 30)
    result = crm(file, "--dry-run")
    assert (result.exit_code, "It is larger than 256 MB." in result.output) == (1, True)


def test_a_day_that_cannot_be_true_would_be_refused(tmp_path: Path) -> None:
    body = mt940(":61:9910011001C1,00NTRFNONREF//B9")
    result = crm(saved(tmp_path, "a.sta", body), "--dry-run")
    assert result.exit_code == 1
    assert "1 refused." in result.output
    assert "Line 5: It would be refused: In `changed_at`: 2099-09-30" in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sums", "kopecks"], "--sums takes minor or major, not 'kopecks'. Nothing was sent."),
        (["--dates", "iso"], "--dates takes day-first or month-first, not 'iso'. Nothing was sent."),
        (["--timezone", "Mars"], "There is no time zone 'Mars'."),
        (["--connection", "x"], "'x' is not an id"),
        ([], "Give --token or set CRM_TOKEN: there is no demo workspace. Nothing was sent."),
        (["--token", "t"], "No stack is running on"),
    ],
)
def test_it_says_what_is_missing(tmp_path: Path, words: list[str], sentence: str) -> None:
    result = crm(saved(tmp_path, "a.sta", GOOD), *words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_only_banks_prove_payments() -> None:
    assert [name for name, connector in CONNECTORS.items() if connector.proven_by] == ["privatbank"]
    proven = CONNECTORS["privatbank"].proven_by
    assert proven
    assert proven("JBKLOA5CG1X2Y3/1") == ("privatbank", "JBKLOA5CG1X2Y3/1")
    assert [proven(text) for text in ("JBKLOA5CG1X2Y3", "", "1/1", "0724710345313905", "x/1")] == [None] * 5
