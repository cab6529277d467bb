"""Facts of a busy marketplace: of ten, two forms, one payment, three call reports, four messages."""

from collections.abc import Iterator
from uuid import uuid4
from zlib import crc32

from crm.contract.codec import encode
from crm.decisions import RULES
from crm.envelope import Fact, named_id, now
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.scalars import Id
from crm.shared import Meta, Phone, Raw
from crm.topics import TOPICS

RAW = Raw("application/json", {}, "", b'{"from":"the benchmark"}')
KafkaRecord = tuple[str, int, bytes, bytes]  # topic, partition, key, value
PHASES = ("ringing", "answered", "completed")


def mixed_facts(workspace: Id, count: int, run: str = "") -> Iterator[Fact]:
    """Yields `count` new facts. Ten belong to one customer, who writes, calls and pays."""
    scope = Id(run or str(uuid4()))
    begin = now()
    for n in range(count):
        person, step = divmod(n, 10)
        sender = named_id(scope, f"person/{person}")
        id = named_id(scope, f"fact/{n}")
        at = type(begin)(begin + n)
        meta = Meta(id, workspace, sender, at, at, scope, id, actor="benchmark")
        yield fact(meta, person, step, scope)


def buyer_name(number: int) -> str:
    return f"Покупець {number}"


def buyer_phone(number: int) -> Phone:
    return Phone(f"067 {number:07d}", f"+38067{number:07d}")


def kafka_record(fact: Fact) -> KafkaRecord:
    """Returns topic, partition, key and value, as intake writes them."""
    topic, key = TOPICS[RULES[type(fact)].family], fact.meta.stream.encode()
    return topic.name, crc32(key) % topic.partitions, key, encode(fact)


def fact(meta: Meta, person: int, step: int, scope: Id) -> Fact:
    order, phone = f"ORDER-{scope[:8]}-{person}", buyer_phone(person)
    match step:
        case 0 | 5:
            fields = {"product": '"Стіл дубовий"', "quantity": "2"}
            return FormSubmitted(
                meta,
                RAW,
                form="checkout",
                name=buyer_name(person),
                phones=(phone,),
                utm={"source": "google"},
                fields=fields,
                amount_minor=125_000 + step,
                currency="UAH",
                reference=f"{order}-{step}",
            )
        case 1 | 2 | 3:
            call = f"{scope}-{person}"
            return CallReported(meta, RAW, call, PHASES[step - 1], "in", phone, line="0800 000 000", talk_s=60)
        case 4:
            return PaymentReported(
                meta, RAW, "monobank", order, "settled", 125_000, "UAH", meta.occurred_at, reference=f"{order}-0"
            )
    return MessageReported(
        meta,
        RAW,
        "telegram",
        str(person),
        "private",
        str(step),
        str(person),
        buyer_name(person),
        text="Коли доставка?",
    )
