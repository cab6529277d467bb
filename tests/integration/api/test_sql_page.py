"""Runs the questions of docs/sql.md as an analyst and compares the answers."""

import csv
import io
import re

import psycopg
import pytest

from api.sql_reference import PAGE
from crm.adapters.postgres.analysts import session_login
from crm.scalars import Id
from tests.support.shop_rows import OTHER, SHOP, SHOP_ROWS, contact, deal, insert

ANSWERED = re.compile(r"^(\w[^\n]*\?)\n\n```sql\n(.*?)^```\n\n```csv\n(.*?)^```$", re.DOTALL | re.MULTILINE)
QUESTIONS = ANSWERED.findall(PAGE.read_text("utf-8"))


@pytest.fixture(scope="module")
def dsn(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as conn:
        insert(conn, SHOP, *SHOP_ROWS)
        insert(conn, OTHER, contact("Olena", phones=("+380671234567",)), deal(99))
    return database_url


def test_every_block_of_sql_is_run() -> None:
    assert len(QUESTIONS) == PAGE.read_text("utf-8").count("```sql") == 5


@pytest.mark.parametrize(("question", "query", "answer"), QUESTIONS, ids=[question for question, _, _ in QUESTIONS])
def test_the_answer_is_that_of_the_page(dsn: str, question: str, query: str, answer: str) -> None:
    with session_login(dsn, Id(SHOP), 60) as address, psycopg.connect(address) as conn:
        cursor = conn.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        found = [names, *([str(value) for value in row] for row in cursor)]
    assert list(csv.reader(io.StringIO(answer))) == found
