"""Rows whose totals are asked for."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from crm.envelope import Row
from crm.moments import micros
from projections.deal import DealRow
from projections.pipeline import PipelineRow
from tests.support.graphql_server import ApiServer
from tests.support.shop_rows import OTHER, SHOP, deal, delete_rows, id_of, insert


def shop(timezone: str) -> PipelineRow:
    return PipelineRow(id_of("pipeline"), "Shop", "UA", "UAH", timezone, ("new", "talks"), "won", "talks")


def opened(number: int, at: str, **known: Any) -> DealRow:
    made = deal(number, **known)
    return msgspec.structs.replace(made, opened_at=micros(datetime.fromisoformat(at)))


def fill(api: ApiServer, *rows: Row) -> None:
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        delete_rows(connection)
        insert(connection, SHOP, *rows)
        insert(connection, OTHER, shop("UTC"), opened(9, "2026-02-01T00:00:00+00:00"))
