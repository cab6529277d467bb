"""Limits before execution: the sizes of a document, its cost, and the rate limit of a token."""

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from api.errors import Invalid
from api.http.refusal import Refusal
from api.limits.cost import OperationCost
from api.limits.documents import limit_errors, parse_document, problems
from api.limits.rates import REMEMBERED, Rates
from api.limits.sizes import Sizes, sizes
from api.schema.root import schema

BOMB = "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
CHAIN = "{ ...f0 } " + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(240))


def test_sizes_count_expanded_fragments() -> None:
    document = parse(
        """query ($n: Int @a) @b { x: deals { ...d @c } ... @d { __schema { types { name } } } }
        fragment d on Deals { nodes { y: id z: id } }"""
    )
    assert sizes(document) == Sizes(depth=3, introspection=3, top=2, fields=7, aliases=3, directives=4)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ("{ a " + "{ a " * 20 + "}" * 21, "15 levels deep"),
        (BOMB + " fragment f40 on Query { a }", "20 fields at its root"),
        ("{ " + " ".join(f"a{n}: deal {{ id }}" for n in range(31)) + " }", "30 aliases"),
        ("{ a " + "@skip(if: false) " * 21 + "}", "20 directives"),
        ("{ " + "__typename " * 21 + "}", "20 fields at its root"),
        ("{ a { " + "id " * 1_001 + "} }", "1000 fields"),
        ("{ __schema " + "{ ofType " * 16 + "}" * 17, "16 levels deep in the schema"),
    ],
)
def test_a_document_over_a_limit_is_refused_unvalidated(document: str, what: str) -> None:
    (error,) = limit_errors(parse(document))
    assert what in error.message
    assert error.extensions == {"code": "TOO_MUCH"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{ a " * 900, "nested too deeply"),
        ("{ " + "a " * 2_000 + "}", "more than 2000 tokens"),
        ("#\n" * 10_000 + "{ a }", "comments"),
        ("{ a }" + " " * 200_000, "100000"),
        ("{ a(n: " + "[" * 900 + "]" * 900 + ") }", "nested too deeply"),
        ("\0", "Syntax Error"),
        ("", "Syntax Error"),
        ('{ a(s: "\\uD800") }', "Syntax Error"),
    ],
)
def test_a_document_over_the_limits_is_not_parsed(text: str, what: str) -> None:
    with pytest.raises(Invalid) as invalid:
        parse_document(text)
    (error,) = invalid.value.errors
    assert what in error.message


@pytest.mark.parametrize(
    "text",
    [
        "{ deals(first: 99999999999999999999) { nodes { id } } }",
        "{ deals(first: " + "9" * 5_000 + ") { nodes { id } } }",
        "{ deals(first: 1.0e999) { nodes { id } } }",
        "{ deal(number: -9223372036854775809) { id } }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "subscription { a b }",
        "query ($a: Nothing) { deals { nodes { id } } }",
        "type Query { a: Int }",
        CHAIN,
    ],
)
def test_an_invalid_document_is_reported_and_is_not_a_bug(text: str) -> None:
    assert problems(schema._schema, parse_document(text), suggest=True)


def test_the_standard_introspection_fits_and_a_circular_one_does_not() -> None:
    assert problems(schema._schema, parse_document(get_introspection_query()), suggest=True) == []
    circular = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    found = {error.message for error in problems(schema._schema, parse_document(circular), suggest=True)}
    assert found == {"Maximum introspection depth exceeded"}


def test_without_introspection_errors_have_a_position_but_no_reason() -> None:
    text = "{ dealz { nodes { id } } }"
    (found,) = problems(schema._schema, parse_document(text), suggest=True)
    assert found.message.startswith("Cannot query field 'dealz' on type 'Query'. Did you mean 'deal', 'deals'")
    (hidden,) = problems(schema._schema, parse_document(text), suggest=False)
    assert hidden.message.startswith("This part is not valid in the schema.") and hidden.locations == [(1, 3)]
    (refused,) = problems(schema._schema, parse_document('{ __type(name: "Deal") { name } }'), suggest=False)
    assert refused.extensions == {"code": "FORBIDDEN"}
    assert (
        problems(schema._schema, parse_document("{ __typename deals { nodes { __typename id } } }"), suggest=False)
        == []
    )


def price(text: str) -> OperationCost:
    document = parse(text)
    (operation,) = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    return OperationCost(operation, document)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("{ __typename }", 1),
        ("{ deal(number: 1) { id title } }", 1),
        ("{ deals { nodes { id } } }", 20),
        ("{ deals(first: 5) { edges { node { contact { name } } } } }", 5 + 5),
        ("{ deals(first: 10) { nodes { ...d } } } fragment d on Deal { payments(first: 3) { nodes { id } } }", 10 + 30),
        ("{ deals(first: 99999999999) { nodes { id } } }", 100),
        ("{ a: deals(first: 0) { nodes { id } } b: deal(number: 1) { id } }", 2),
        ("mutation { a: x { id } b: x { id } }", 20),
        ('{ funnel(asOf: { at: "2026-01-01T00:00:00Z" }) { stage } dealTotals { count } }', 1_000 + 1 + 1),
    ],
)
def test_an_operation_costs_the_rows_that_it_may_read(text: str, rows: int) -> None:
    assert price(text).of({}) == rows


def test_a_variable_says_the_size_of_a_page() -> None:
    cost = price("query ($n: Int) { deals(first: $n) { nodes { payments(first: 2) { nodes { id } } } } }")
    assert [cost.of({"n": n}) for n in (1, 10, 1_000)] == [3, 30, 300]
    assert cost.of({}) == cost.of({"n": None}) == cost.of({"n": "x"}) == 300


class Clock:
    """Seconds, as the test wants them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_has_points_that_come_back() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    rates.check("a")
    rates.take("a", 50)
    with pytest.raises(Refusal) as refused:
        rates.take("a", 20)
    assert (refused.value.status, refused.value.code) == (429, "RATE_LIMITED")
    assert dict(refused.value.headers) == {
        b"retry-after": b"10", b"ratelimit-limit": b"60", b"ratelimit-remaining": b"10", b"ratelimit-reset": b"50",
    }  # fmt: skip
    rates.take("b", 60)
    with pytest.raises(Refusal):
        rates.check("b")
    clock.now = 10.0
    rates.take("a", 20)
    assert dict(rates.headers("a"))[b"ratelimit-remaining"] == b"0"
    clock.now = 1_000.0
    rates.take("a", 61)  # more than a bucket holds: it takes the whole of it


def test_without_a_limit_nothing_is_counted() -> None:
    rates = Rates(0)
    rates.check("a")
    rates.take("a", 10**9)
    assert (rates.headers("a"), rates.buckets) == ((), {})


def test_only_so_many_buckets_are_kept() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    for n in range(REMEMBERED + 5):
        clock.now += 0.001
        rates.charge(f"t{n}", 60)
    assert len(rates.buckets) == REMEMBERED and "t0" not in rates.buckets
