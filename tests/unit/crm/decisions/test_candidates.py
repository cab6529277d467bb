"""What evidence decides: the laws of `judge`, whatever speaks for whom."""

from hypothesis import given as for_any
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.decisions.candidates import CERTAIN, Candidate, Kind, in_sentences, judge
from crm.scalars import Id
from crm.state import Deal

KINDS = st.frozensets(st.sampled_from(Kind))
DEALS = st.builds(
    Deal,
    deal_id=st.just(Id("d")),
    contact_id=st.just(Id("c")),
    number=st.just(1),
    amount_minor=st.sampled_from((0, 100)),
    currency=st.just("UAH"),
    stage=st.sampled_from(("new", "won", "lost")),
    paid_minor=st.sampled_from((0, 40, 100)),
)


def candidate(deal: Deal, kinds: frozenset[Kind], other_currency: bool) -> Candidate:
    return Candidate(deal, {kind: kind.value for kind in kinds}, [], other_currency)


@st.composite
def any_candidates(draw: st.DrawFn) -> list[Candidate]:
    """Up to four deals, each with any evidence."""
    made = draw(st.lists(st.builds(candidate, DEALS, KINDS, st.booleans()), max_size=4))
    for number, one in enumerate(made, 1):
        one.deal = replace(one.deal, deal_id=Id(str(number)), number=number)
    return made


@for_any(any_candidates(), st.booleans())
def test_nothing_is_matched_in_another_currency_or_without_evidence(found: list[Candidate], odd: bool) -> None:
    chosen = judge(found, odd)
    assert chosen is None or (not chosen.other_currency and chosen.strong)


@for_any(any_candidates(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_in_which_it_was_gathered_decides_nothing(found: list[Candidate], odd: bool, random: object) -> None:
    shuffled = random.sample(found, len(found))  # type: ignore[attr-defined]  # it is a Random
    assert judge(shuffled, odd) is judge(found, odd)


@for_any(any_candidates())
def test_two_that_are_certain_for_different_grounds_are_parked_unless_the_gateways_has_the_sum(
    found: list[Candidate],
) -> None:
    certain = [one for one in found if one.certain]
    referred = [one for one in certain if Kind.REFERENCE in one.speaks]
    if len(certain) > 1 and len(referred) < len(certain) and (chosen := judge(found)):
        assert referred == [chosen]
        assert [one for one in certain if Kind.SUM in one.speaks] == [chosen]


@for_any(any_candidates(), DEALS, st.frozensets(st.sampled_from([kind for kind in Kind if kind not in CERTAIN])))
def test_weak_evidence_never_changes_a_strong_decision(
    found: list[Candidate], other: Deal, weak: frozenset[Kind]
) -> None:
    """Neither a deal that is not named, nor a name or a number in words that speaks for another one."""
    before = judge(found)
    if before is None or not before.certain:
        return
    weaker = candidate(replace(other, deal_id=Id("other"), number=9), weak, False)
    assert judge([*found, weaker]) is before
    for one in found:
        one.speaks.setdefault(Kind.NAME, "name")
    assert judge(found) is before


@for_any(any_candidates())
def test_no_sum_and_no_name_decides_alone(found: list[Candidate]) -> None:
    for one in found:
        one.speaks = {kind: text for kind, text in one.speaks.items() if kind in (Kind.SUM, Kind.NAME)}
    assert judge(found) is None


@for_any(any_candidates(), DEALS)
def test_a_contradiction_parks_what_is_not_certain(found: list[Candidate], other: Deal) -> None:
    """Another open deal with just the same evidence."""
    chosen = judge(found)
    if chosen is None or chosen.certain:
        return
    twin = candidate(replace(chosen.deal, deal_id=Id("twin"), number=9), frozenset(chosen.speaks), False)
    assert judge([*found, twin]) is None


def test_what_speaks_for_and_against_it_is_said() -> None:
    deal = Deal(Id("d"), Id("c"), 7, 100, "UAH", "new")
    said = [
        Candidate(deal, {Kind.NUMBER: "it names D-7", Kind.REFERENCE: "it names D-7"}),
        Candidate(deal, {Kind.ORDER: "7 in its text is the deal's number"}, ["1.00 UAH is outstanding", "it is won"]),
        Candidate(deal, {}, ["it is lost"]),
        Candidate(deal),
    ]
    assert in_sentences(said) == [
        "D-7 (it names D-7)",
        "D-7 (7 in its text is the deal's number, but 1.00 UAH is outstanding; it is won)",
        "D-7 (it is lost)",
        "D-7",
    ]
