"""Rows of contacts, deals and payments by the hundred thousand, generated in Postgres."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from crm.projection import Projection
from crm.text.phonetics import COLUMN, key
from projections import PROJECTIONS

BLANK = {
    "uuid": "'00000000-0000-0000-0000-000000000000'",
    "text": "''",
    "bigint": "0",
    "boolean": "false",
    "timestamptz": "timestamptz '2026-01-01 00:00Z'",
    "text[]": "'{}'",
    "jsonb": "'{}'",
}
FIRST = """Олена Тарас Марія Андрій Оксана Сергій Наталія Іван Юлія Дмитро Ірина Олексій Ганна Михайло Світлана Богдан
Тетяна Володимир Катерина Юрій Людмила Василь Вікторія Ярослав Надія Роман Софія Євген Дарина Петро Злата Гліб"""
LAST = """Шевчен Ковален Бондарен Ткачен Кравчен Олійни Шевчу Поліщу Марчен Лисен Руден Петрен Савчен Мельни Павлен
Харчен Гончарен Романю Костю Данилю Левчен Тимошен Пономарен Степанен Яремчу Василен Клименк Ковальчу Захарчу Гриценк
Гаврилю Федорен Кузьмен Юрчен Щербен Їжаке Єфимен Жураве Цимбалю Фесен Нестерен Борисен Демчен Андрієн Мацю Онищен
Семеню Прокопчу Сидорен Приходь Дячен Зінчен Назарен Остапчу Пилипен Радчен Тищен Усен Чумачен"""
ENDINGS = "ко к ков кова ський ська шин шина"
SURNAMES = " ".join(root + ending for ending in ENDINGS.split() for root in LAST.split())
GOODS = "Стіл Крісло Шафа Ліжко Комод Диван Полиця"
STAGES = 10
DEALS_EACH = 5

PHONE = "'+38067' || lpad(n::text, 7, '0')"


def pick(words: str, every: int = 1) -> str:
    """Returns SQL that picks another word for each n, or for every `every` of them."""
    listed = words.split()
    return f"(ARRAY{listed})[(n / {every} % {len(listed)} + 1)::int]"


def distinct_time(count: int) -> str:
    """Returns SQL for a distinct time per row, in another order than the rows."""
    return f"timestamptz '2026-01-01 00:00Z' + n * 7919 % {count} * interval '1 second'"


def id_of(kind: str, n: str = "n") -> str:
    """Returns SQL for the id of the n-th row of a kind, the same in each run."""
    return f"md5('{kind} ' || {n})::uuid"


def contacts(count: int) -> Mapping[str, str]:
    at = distinct_time(count)
    return {
        "contact_id": id_of("contact"),
        "name": f"{pick(FIRST)} || ' ' || {pick(SURNAMES, 32)}",
        "source": "'form'",
        "phones": f"ARRAY[{PHONE}]",
        "emails": "ARRAY['client' || n || '@example.com']",
        COLUMN: f"' ' || {pick(key(FIRST))} || ' ' || {pick(key(SURNAMES), 32)} || {PHONE.replace('+', ' ')} "
        f"|| ' {key('client')}' || n || ' {key('example com')}'",
        "created_at": at,
        "touched_at": at,
    }


def deals(count: int) -> Mapping[str, str]:
    at = distinct_time(count)
    return {
        "deal_id": id_of("deal"),
        "contact_id": id_of("contact", f"n / {DEALS_EACH}"),
        "number": "n + 1",
        "title": f"{pick(GOODS)} || ' ' || n",
        COLUMN: f"' ' || {pick(key(GOODS))} || ' ' || n",
        "amount_minor": "100000 + n",
        "currency": "'UAH'",
        "stage": f"'stage ' || n % {STAGES}",
        "owner": "'owner' || n % 20 || '@example.com'",
        "source": "'form'",
        "opened_at": at,
        "touched_at": at,
    }


def payments(count: int) -> Mapping[str, str]:
    at = distinct_time(count)
    return {
        "payment_id": id_of("payment"),
        "deal_id": id_of("deal"),
        "contact_id": id_of("contact", f"n / {DEALS_EACH}"),
        "provider": "'monobank'",
        "payment": "'p' || n",
        "status": "'settled'",
        "amount_minor": "50000 + n",
        "currency": "'UAH'",
        "changed_at": at,
        "touched_at": at,
    }


def fill(conn: psycopg.Connection[Any], workspace: str, name: str, count: int, known: Mapping[str, str]) -> None:
    """Adds `count` rows of a projection. Columns without a value in `known` are empty."""
    projection: Projection[Any] = PROJECTIONS[name]
    columns = {c.name: known.get(c.name) or (BLANK[c.type] if c.required else "NULL") for c in projection.columns}
    if COLUMN in known:
        columns[COLUMN] = known[COLUMN]
    statement = (
        f"INSERT INTO read.{projection.table} (workspace, {', '.join(columns)}) "
        f"SELECT %s, {', '.join(columns.values())} FROM generate_series(0::bigint, %s - 1) AS n"
    ).replace(" % ", " %% ")
    with without_indexes(conn, projection.table):
        conn.execute(statement.encode(), [workspace, count])


@contextmanager
def without_indexes(conn: psycopg.Connection[Any], table: str) -> Iterator[None]:
    """Drops the indexes and creates them again afterwards, which is faster."""
    named = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'read' AND tablename = %s"
    there = [(name, made) for name, made in conn.execute(named, [table]) if not name.endswith("_pkey")]
    for name, _ in there:
        conn.execute(f"DROP INDEX read.{name}".encode())
    yield
    conn.execute("SET maintenance_work_mem = '256MB'")
    for _, made in there:
        conn.execute(made.encode())


def settle(conn: psycopg.Connection[Any]) -> None:
    """Vacuums, analyzes and checkpoints, like a database that has run for a while."""
    conn.execute("VACUUM ANALYZE")
    conn.execute(sql.SQL("CHECKPOINT"))
