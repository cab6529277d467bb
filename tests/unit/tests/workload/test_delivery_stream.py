"""The stories are repeatable, intake understands them as they were meant, and the ledger keeps each once."""

from collections import Counter
from itertools import islice

from crm.facts import FormSubmitted, PaymentReported
from crm.scalars import Id, Micros
from tests.support.reference_run import TENANTS, fact_of, ledger, run_in_memory
from tests.support.workload.batches import batches, ids_of
from tests.support.workload.customer import FIRST_MOMENT
from tests.support.workload.deliveries import Delivery
from tests.support.workload.delivery_stream import delivery_stream
from tests.support.workload.ledger import DealValue, FactKind, Ledger, PaymentReport, PaymentState


def some(seed: str, count: int = 4000) -> list[Delivery]:
    return [scheduled.delivery for scheduled in islice(delivery_stream(TENANTS, seed), count)]


def test_a_seed_tells_the_same_again() -> None:
    assert some("one", 500) == some("one", 500)
    assert some("one", 500) != some("two", 500)


def test_the_mixture() -> None:
    schedule = list(islice(delivery_stream(TENANTS, "mixture"), 20_000))
    kinds = Counter(scheduled.delivery.kind.fact for scheduled in schedule)
    assert {*kinds} == {
        "FormSubmitted",
        "PaymentReported",
        "CallReported",
        "MessageReported",
        "DeliveryQuarantined",
    }
    assert 500 <= sum(not scheduled.fresh for scheduled in schedule) <= 700
    assert 150 <= sum(scheduled.duplicated for scheduled in schedule) <= 250
    assert 700 <= sum(bool(scheduled.delivery.content_type) for scheduled in schedule) <= 1300
    assert {scheduled.delivery.tenant for scheduled in schedule} == {*TENANTS}


def test_a_repeat_has_the_same_bytes_and_nothing_else_has() -> None:
    seen: set[bytes] = set()
    for scheduled in islice(delivery_stream(TENANTS, "repeats"), 20_000):
        assert scheduled.fresh is (scheduled.delivery.body not in seen)
        seen.add(scheduled.delivery.body)


def test_intake_reads_each_as_the_ledger_says() -> None:
    for delivery in some("read"):
        fact = fact_of(delivery)
        assert type(fact).__name__ == delivery.kind.fact
        assert fact.meta.workspace == delivery.kind.workspace
        assert delivery.id in (None, fact.meta.id)
        match delivery.money:
            case DealValue(amount_minor, currency):
                assert isinstance(fact, FormSubmitted)
                assert (fact.amount_minor, fact.currency) == (amount_minor, currency)
            case PaymentReport(payment, state):
                assert isinstance(fact, PaymentReported)
                own = (fact.changed_at, fact.status, fact.amount_minor, fact.refunded_minor, fact.currency)
                assert (fact.payment, own) == (payment, state)


def test_people_come_back_with_their_phone_in_other_spellings() -> None:
    forms = [fact for d in some("people") if isinstance(fact := fact_of(d), FormSubmitted) and fact.phones]
    spellings: dict[str, set[str]] = {}
    for fact in forms:
        assert fact.phones[0].e164.startswith("+380")
        spellings.setdefault(fact.phones[0].e164, set()).add(fact.phones[0].text)
    assert max(map(len, spellings.values())) >= 3


def test_the_ledger_keeps_each_fact_once_and_the_newest_of_each_payment() -> None:
    shop = TENANTS[0].workspace
    book = Ledger()
    old = PaymentState(Micros(FIRST_MOMENT), "settled", 500, 0, "UAH")
    new = PaymentState(Micros(FIRST_MOMENT + 1), "settled", 500, 120, "UAH")
    kind = FactKind("PaymentReported", shop)
    for id, state in (("a", new), ("b", old), ("b", old)):
        book.take(Id(id), kind, PaymentReport("p", state))
    for id in ("c", "c"):
        book.take(Id(id), FactKind("FormSubmitted", shop), DealValue(700, "UAH"))
    assert len(book.facts) == 3
    assert book.settled() == {(shop, "UAH"): 380}
    assert book.deals == {(shop, "UAH"): 700}


def test_money_that_went_out_or_did_not_come_is_none() -> None:
    for status, amount_minor, refunded_minor in (("settled", 500, 500), ("settled", -500, 0), ("held", 500, 0)):
        assert PaymentState(Micros(1), status, amount_minor, refunded_minor, "UAH").settled_minor == 0


def test_lines_of_a_shop_share_a_parcel_and_the_form_has_its_own() -> None:
    burst = some("parcels", 200)
    sent = list(batches(burst))
    assert Counter(d.body for p in sent for d in p.deliveries) == Counter(d.body for d in burst)
    together = [p for p in sent if p.path == "/facts"]
    assert [p.body.count(b"\n") + 1 for p in together] == [len(p.deliveries) for p in together]
    assert len(together) == len(TENANTS)
    alone = [p for p in sent if p.path != "/facts"]
    assert {p.path for p in alone} == {f"/in/{tenant.form}" for tenant in TENANTS}
    assert all([*ids_of(p, b"")] == [p.deliveries[0].id] for p in alone)


def test_every_fact_of_the_world_is_in_its_ledger() -> None:
    assert {id for id, _ in run_in_memory()[1]} == {*ledger().facts}
