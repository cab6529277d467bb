"""What `crm bench cost` makes of two looks at a stack."""

from tests.bench.cost import each, with_sums


def test_what_grew_is_shared_by_the_facts() -> None:
    before, after = {"decide": 1.0, "api": 5.0}, {"decide": 3.0, "api": 5.000001, "relay": 0.5}
    assert each(before, after, 1000, 1e6) == {"decide": 2000.0, "relay": 500.0}


def test_sums_leave_out_what_does_not_stay() -> None:
    found = {
        "postgres read": {"steady": 40.4, "at once": 30.0},
        "postgres write-ahead log, written": {"steady": 900.0, "at once": 800.0},
        "kafka crm.journal": {"steady": 100.0},
    }
    assert with_sums(found, {"Postgres together": "postgres"}) == {
        "postgres write-ahead log, written": {"steady": 900.0, "at once": 800.0},
        "kafka crm.journal": {"steady": 100.0},
        "postgres read": {"steady": 40.4, "at once": 30.0},
        "Postgres together": {"steady": 40, "at once": 30},
    }
