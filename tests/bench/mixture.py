"""Facts as a busy marketplace streams them in: of ten, two forms, one payment, three call reports, four messages."""

from collections.abc import Iterator
from uuid import uuid4

from crm.envelope import Fact, named_id, now
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported
from crm.scalars import Id
from crm.shared import Meta, Phone, Raw

RAW = Raw("application/json", {}, "", b'{"from":"the benchmark"}')
PHASES = ("ringing", "answered", "completed")


def mixed(workspace: Id, count: int, run: str = "") -> Iterator[Fact]:
    """`count` facts, each new to the workspace. Ten belong to one person: a customer who writes, calls and pays."""
    scope = Id(run or str(uuid4()))
    begin = now()
    for n in range(count):
        person, step = divmod(n, 10)
        sender = named_id(scope, f"person/{person}")
        id = named_id(scope, f"fact/{n}")
        at = type(begin)(begin + n)
        meta = Meta(id, workspace, sender, at, at, scope, id, actor="benchmark")
        yield fact(meta, person, step, scope)


def fact(meta: Meta, person: int, step: int, scope: Id) -> Fact:
    order = f"ORDER-{scope[:8]}-{person}"
    phone = Phone(f"067 {person:07d}", f"+38067{person:07d}")
    match step:
        case 0 | 5:
            fields = {"product": '"Стіл дубовий"', "quantity": "2"}
            return FormSubmitted(
                meta,
                RAW,
                form="checkout",
                name=f"Покупець {person}",
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
        f"Покупець {person}",
        text="Коли доставка?",
    )
