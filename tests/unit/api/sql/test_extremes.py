"""The lowest and the highest of a total are asked of an index that has them, or refused."""

import pytest

from api.errors import BadInput
from api.sql.extremes import columns, groups, refuse_others, statement
from projections import PROJECTIONS

DEAL, PAYMENT = PROJECTIONS["deal"], PROJECTIONS["payment"]


def test_an_index_has_the_ends_of_its_amounts() -> None:
    assert columns(DEAL) == ("amount_minor",)
    assert groups(DEAL, "amount_minor") == [(), ("stage",)]
    assert groups(PAYMENT, "refunded_minor") == []
    refuse_others(DEAL, ["stage"], ["stage"], timed=False)
    refuse_others(DEAL, [], [], timed=False)


@pytest.mark.parametrize(
    ("by", "filters", "timed"), [(["owner"], [], False), ([], ["stage"], False), (["stage"], [], True)]
)
def test_others_are_refused(by: list[str], filters: list[str], timed: bool) -> None:
    with pytest.raises(BadInput, match=r"They are served by nothing or `stage`, without a time"):
        refuse_others(DEAL, by, filters, timed)


def test_each_end_is_one_row_of_the_index() -> None:
    rows = (
        "SELECT r.amount_minor FROM read.deal AS r WHERE r.workspace = %(workspace)s AND r.stage = g.stage "
        "AND r.currency = g.currency ORDER BY r.amount_minor"
    )
    assert statement(DEAL, ["stage"], "amount_minor") == (
        f"SELECT ({rows} LIMIT 1) AS min, ({rows} DESC LIMIT 1) AS max FROM unnest(%(stage)s::text[], "
        "%(currency)s::text[]) WITH ORDINALITY AS g(stage, currency, n) ORDER BY g.n"
    )
