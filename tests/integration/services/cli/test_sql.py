"""`crm sql` prints what a workspace's views give, refuses to write, and leaves no login behind."""

import json
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner, Result

from crm.adapters.postgres.analysts import session_login
from crm.scalars import Id
from services.cli import app, sql_prompt
from services.operations.backup.postgres_programs import candidates
from tests.support.shop_rows import OTHER, SHOP, SHOP_ROWS, contact, deal, id_of, insert


@pytest.fixture(autouse=True)
def stack(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")  # nobody asks it
    monkeypatch.chdir(tmp_path)
    return database_url


@pytest.fixture(scope="module", autouse=True)
def rows(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        insert(conn, SHOP, *SHOP_ROWS)
        insert(conn, OTHER, contact("Nobody"), deal(99))


def crm(*arguments: str, given: str | None = None, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, ["sql", *arguments, "--workspace", SHOP], input=given)
    assert done.exit_code == expect, done.output
    return done


STAGES = "SELECT stage, count(*) AS deals, sum(amount_minor) AS minor FROM deal GROUP BY stage ORDER BY stage"


def test_a_statement_prints_a_table_or_csv_or_json() -> None:
    assert " ".join(crm(STAGES).stdout.split()) == "stage deals minor new 3 60600 talks 1 20200 won 1 20200"
    assert crm(STAGES, "--csv").stdout == "stage,deals,minor\nnew,3,60600\ntalks,1,20200\nwon,1,20200\n"
    assert json.loads(crm(STAGES, "--json").stdout) == [
        {"stage": "new", "deals": 3, "minor": 60600},
        {"stage": "talks", "deals": 1, "minor": 20200},
        {"stage": "won", "deals": 1, "minor": 20200},
    ]


def test_no_digit_of_a_number_is_lost() -> None:
    """9007199254740993 is the first integer that no double holds; 1.10 of a custom field is not 1.1."""
    query = "SELECT sum(amount_minor) AS minor, 12345678901234567890.10 AS sum FROM payment WHERE NOT parked"
    assert crm(query, "--json").stdout == '[{"minor":9007199254740993,"sum":12345678901234567890.10}]\n'
    price = f"SELECT fields FROM deal WHERE deal_id = '{id_of('deal 7')}'"
    assert crm(price, "--json").stdout == '[{"fields":{"size": "L", "count": 7, "price": 1.10}}]\n'


def test_csv_has_values_as_postgres_writes_them() -> None:
    query = "SELECT phones, merged_into, name FROM contact WHERE name LIKE 'Olena%' ORDER BY name"
    assert crm(query, "--csv").stdout.splitlines() == [
        "phones,merged_into,name",
        "{+380671234567},,Olena",
        f"{{+380501112233}},{id_of('Olena')},Olena's old card",
    ]


def test_statements_come_from_a_file_or_standard_input(tmp_path: Path) -> None:
    query = "SET timezone = 'Europe/Kyiv'; SELECT max(opened_at)::text AS at FROM deal;"
    (tmp_path / "last.sql").write_text(query)
    for arguments, given in (("last.sql", None), ("-", query), ("", query)):
        assert crm(*filter(None, [arguments]), "--csv", given=given).stdout == "at\n2026-01-01 14:00:00+02\n"
    assert "There is no file first.sql. Nothing was run." in crm("first.sql", expect=1).stderr


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "DELETE FROM deal",
            "`crm sql` reads the views of one workspace and nothing else: permission denied for view deal. Nothing was "
            "changed. To change data use mutations: docs/commands.md.",
        ),
        ("CREATE TABLE mine (a int)", "cannot execute CREATE TABLE in a read-only transaction. Nothing was changed."),
        ("SELECT * FROM core.state", "permission denied for schema core. Nothing was changed."),
        ("SELECT * FROM deals", 'relation "deals" does not exist. The views are assignment_rules, call, connection,'),
        ("SELEC 1", 'syntax error at or near "SELEC"\nLINE 1: SELEC 1\n        ^'),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_sentence(stack: str, statement: str, sentence: str) -> None:
    done = crm(statement, expect=1)
    assert sentence in done.stderr
    assert done.stdout == ""
    with psycopg.connect(stack) as conn:
        assert conn.execute("SELECT count(*) FROM read.deal").fetchone() == (6,)


def test_a_statement_that_takes_too_long_is_stopped() -> None:
    waits = "SET statement_timeout = 1; SELECT pg_sleep(60)"
    assert "canceling statement due to statement timeout. Allow more with --timeout" in crm(waits, expect=1).stderr


def test_every_call_leaves_no_login_behind(stack: str) -> None:
    crm("SELECT 1")
    crm("SELEC 1", expect=1)
    with psycopg.connect(stack) as conn:
        assert conn.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'potik_sql_%'").fetchone() == (0,)


def test_an_address_for_a_bi_tool(stack: str) -> None:
    done = crm("--connection-string", "--login", "grafana", "--json")
    parts = json.loads(done.stdout)
    assert parts["user"] == "potik_sql_11111111111141118111111111111111_grafana"
    assert conninfo_to_dict(parts["url"]) == {name: parts[name] for name in parts if name != "url"}
    with psycopg.connect(parts["url"]) as conn:
        assert conn.execute("SELECT count(*) FROM deal").fetchone() == (5,)
    assert "The login grafana exists" in crm("--connection-string", "--login", "grafana", expect=1).stderr
    again = crm("--connection-string", "--login", "grafana", "--new-password")
    with psycopg.connect(again.stdout.strip()) as conn:
        assert conn.execute("SELECT count(*) FROM deal").fetchone() == (5,)
    assert "Only this machine can reach 127.0.0.1." in again.stderr
    assert "The login grafana was removed" in crm("--revoke", "grafana").stderr


def test_the_simple_prompt(stack: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = iter(["SELECT count(*)", "FROM deal;", "SELEC 1;", "DROP VIEW deal;", "SELECT 7 AS seven;", "\\q"])
    with session_login(stack, Id(SHOP), 60) as address:
        sql_prompt.simple(address, lambda _: next(lines))
    printed = capsys.readouterr()
    assert printed.out.split() == ["count", "5", "seven", "7"]
    assert 'syntax error at or near "SELEC"' in printed.err
    assert "Nothing was changed" in printed.err


def test_psql_is_opened_where_there_is_one(stack: str, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The password is in its environment: a command line would show it to every user."""
    program = tmp_path / "psql"
    program.write_text(f'#!/bin/sh\nexec {candidates("psql")[0]} --csv --command "SELECT count(*) FROM deal" "$@"\n')
    program.chmod(0o755)
    with session_login(stack, Id(SHOP), 60) as address:
        assert sql_prompt.psql(str(program), address) == 0
    assert capfd.readouterr().out == "count\n5\n"
