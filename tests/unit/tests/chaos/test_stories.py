"""The stories are repeatable, intake understands them as they were meant, and the ledger keeps each once."""

from collections import Counter
from itertools import islice

from crm.facts import FormSubmitted, PaymentReported
from crm.scalars import Id, Micros
from tests.chaos.deliveries import Delivery
from tests.chaos.ledger import Kind, Ledger, Paid, Standing, Worth
from tests.chaos.parcels import ids_of, parcels
from tests.chaos.person import BEGAN
from tests.chaos.stories import stories
from tests.support.chaos_world import SHOPS, fact_of, ledger, told


def some(seed: str, count: int = 4000) -> list[Delivery]:
    return [telling.delivery for telling in islice(stories(SHOPS, seed), count)]


def test_a_seed_tells_the_same_again() -> None:
    assert some("one", 500) == some("one", 500)
    assert some("one", 500) != some("two", 500)


def test_the_mixture() -> None:
    tellings = list(islice(stories(SHOPS, "mixture"), 20_000))
    kinds = Counter(telling.delivery.kind.fact for telling in tellings)
    assert {*kinds} == {
        "FormSubmitted",
        "PaymentReported",
        "CallReported",
        "MessageReported",
        "DeliveryQuarantined",
    }
    assert 500 <= sum(not telling.fresh for telling in tellings) <= 700
    assert 150 <= sum(telling.twice for telling in tellings) <= 250
    assert 700 <= sum(bool(telling.delivery.content_type) for telling in tellings) <= 1300
    assert {telling.delivery.shop for telling in tellings} == {*SHOPS}


def test_a_repeat_has_the_same_bytes_and_nothing_else_has() -> None:
    seen: set[bytes] = set()
    for telling in islice(stories(SHOPS, "repeats"), 20_000):
        assert telling.fresh is (telling.delivery.body not in seen)
        seen.add(telling.delivery.body)


def test_intake_reads_each_as_the_ledger_says() -> None:
    for delivery in some("read"):
        fact = fact_of(delivery)
        assert type(fact).__name__ == delivery.kind.fact
        assert fact.meta.workspace == delivery.kind.workspace
        assert delivery.id in (None, fact.meta.id)
        match delivery.money:
            case Worth(amount_minor, currency):
                assert isinstance(fact, FormSubmitted)
                assert (fact.amount_minor, fact.currency) == (amount_minor, currency)
            case Paid(payment, standing):
                assert isinstance(fact, PaymentReported)
                own = (fact.changed_at, fact.status, fact.amount_minor, fact.refunded_minor, fact.currency)
                assert (fact.payment, own) == (payment, standing)


def test_people_come_back_with_their_phone_in_other_spellings() -> None:
    forms = [fact for d in some("people") if isinstance(fact := fact_of(d), FormSubmitted) and fact.phones]
    spellings: dict[str, set[str]] = {}
    for fact in forms:
        assert fact.phones[0].e164.startswith("+380")
        spellings.setdefault(fact.phones[0].e164, set()).add(fact.phones[0].text)
    assert max(map(len, spellings.values())) >= 3


def test_the_ledger_keeps_each_fact_once_and_the_newest_of_each_payment() -> None:
    shop = SHOPS[0].workspace
    book = Ledger()
    old = Standing(Micros(BEGAN), "settled", 500, 0, "UAH")
    new = Standing(Micros(BEGAN + 1), "settled", 500, 120, "UAH")
    kind = Kind("PaymentReported", shop)
    for id, standing in (("a", new), ("b", old), ("b", old)):
        book.take(Id(id), kind, Paid("p", standing))
    for id in ("c", "c"):
        book.take(Id(id), Kind("FormSubmitted", shop), Worth(700, "UAH"))
    assert len(book.facts) == 3
    assert book.settled() == {(shop, "UAH"): 380}
    assert book.deals == {(shop, "UAH"): 700}


def test_money_that_went_out_or_did_not_come_is_none() -> None:
    for status, amount_minor, refunded_minor in (("settled", 500, 500), ("settled", -500, 0), ("held", 500, 0)):
        assert Standing(Micros(1), status, amount_minor, refunded_minor, "UAH").settled_minor == 0


def test_lines_of_a_shop_share_a_parcel_and_the_form_has_its_own() -> None:
    burst = some("parcels", 200)
    sent = list(parcels(burst))
    assert Counter(d.body for p in sent for d in p.deliveries) == Counter(d.body for d in burst)
    together = [p for p in sent if p.path == "/facts"]
    assert [p.body.count(b"\n") + 1 for p in together] == [len(p.deliveries) for p in together]
    assert len(together) == len(SHOPS)
    alone = [p for p in sent if p.path != "/facts"]
    assert {p.path for p in alone} == {f"/in/{shop.form}" for shop in SHOPS}
    assert all([*ids_of(p, b"")] == [p.deliveries[0].id] for p in alone)


def test_every_fact_of_the_world_is_in_its_ledger() -> None:
    assert {id for id, _ in told()[1]} == {*ledger().facts}
