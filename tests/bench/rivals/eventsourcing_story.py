"""`python -m tests.bench.rivals.eventsourcing_story DSN FACTS BATCH`: facts decided and projected with eventsourcing.

A form and a new chat make a contact and a deal, a payment pays its deal, a call and a chat have aggregates of their
own; rows are lean. BATCH 1: as its documents teach, a save for each fact, and a projection that a runner feeds.
Otherwise by hand: a save for so many facts, and a transaction of rows for all their events.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import Environment
from psycopg.sql import SQL, Identifier

from crm.contract.codec import decode
from crm.facts import CallReported, FormSubmitted, PaymentReported
from crm.scalars import Id
from tests.bench.rivals.event_store import event_store
from tests.support.workload.facts import kafka_record, mixed_facts

TABLES = (
    "CREATE TABLE IF NOT EXISTS {0}.story_contact (id uuid PRIMARY KEY, phone text, name text)",
    "CREATE TABLE IF NOT EXISTS {0}.story_deal (id uuid PRIMARY KEY, contact_id uuid, reference text, amount bigint,"
    " paid bigint NOT NULL DEFAULT 0, stage text NOT NULL DEFAULT 'new')",
    "CREATE TABLE IF NOT EXISTS {0}.story_call (id uuid PRIMARY KEY, phone text, phase text)",
    "CREATE TABLE IF NOT EXISTS {0}.story_message (chat_id uuid, number bigint, text text,"
    " PRIMARY KEY (chat_id, number))",
)
WRITE = {
    "Contact.Registered": "INSERT INTO story_contact VALUES (%s, %s, %s)",
    "Deal.Opened": "INSERT INTO story_deal (id, contact_id, reference, amount) VALUES (%s, %s, %s, %s)",
    "Deal.Paid": "UPDATE story_deal SET paid = paid + %s, stage = 'paid' WHERE id = %s",
    "Call.Began": "INSERT INTO story_call VALUES (%s, %s, %s)",
    "Call.Moved": "UPDATE story_call SET phase = %s WHERE id = %s",
    "Chat.Received": "INSERT INTO story_message VALUES (%s, %s, %s)",
}
COUNTS = """
SELECT (SELECT count(*) FROM story_contact) AS contacts, (SELECT count(*) FROM story_deal) AS deals,
  (SELECT count(*) FROM story_call) AS calls, (SELECT count(*) FROM story_message) AS messages,
  (SELECT sum(paid) FROM story_deal)::bigint AS paid"""
dsn = sys.argv[1]
wanted, size = int(sys.argv[2]), int(sys.argv[3])


class Contact(Aggregate):
    @event("Registered")
    def __init__(self, phone: str, name: str) -> None:
        self.phone, self.name = phone, name

    @staticmethod
    def create_id(phone: str, name: str = "") -> UUID:
        return uuid5(NAMESPACE_OID, f"contact/{phone}")


class Deal(Aggregate):
    @event("Opened")
    def __init__(self, contact_id: UUID, reference: str, amount: int) -> None:
        self.contact_id, self.reference, self.amount, self.paid, self.stage = contact_id, reference, amount, 0, "new"

    @staticmethod
    def create_id(contact_id: UUID | None, reference: str, amount: int = 0) -> UUID:
        return uuid5(NAMESPACE_OID, f"deal/{reference}")

    @event("Paid")
    def pay(self, minor: int) -> None:
        self.paid, self.stage = self.paid + minor, "paid"


class Call(Aggregate):
    @event("Began")
    def __init__(self, call: str, phone: str, phase: str) -> None:
        self.call, self.phone, self.phase = call, phone, phase

    @staticmethod
    def create_id(call: str, phone: str = "", phase: str = "") -> UUID:
        return uuid5(NAMESPACE_OID, f"call/{call}")

    @event("Moved")
    def move(self, phase: str) -> None:
        self.phase = phase


class Chat(Aggregate):
    @event("Opened")
    def __init__(self, account: str) -> None:
        self.account, self.count = account, 0

    @staticmethod
    def create_id(account: str) -> UUID:
        return uuid5(NAMESPACE_OID, f"chat/{account}")

    @event("Received")
    def receive(self, number: int, text: str) -> None:
        self.count = number


class Sales(Application[UUID]):
    """Decides facts."""

    def take(self, values: Sequence[bytes]) -> None:
        """Saves all that a batch changes at once."""
        self.touched: dict[UUID, Any] = {}
        for value in values:
            self.decide(decode(value))
        self.save(*self.touched.values())

    def known(self, id: UUID) -> Any:
        if id not in self.touched:
            try:
                self.touched[id] = self.repository.get(id)
            except AggregateNotFoundError:
                return None
        return self.touched[id]

    def new(self, aggregate: Any) -> Any:
        self.touched[aggregate.id] = aggregate
        return aggregate

    def opened(self, account: str, name: str) -> Any:
        """A new chat makes a contact and a deal too."""
        contact = self.new(Contact(f"chat/{account}", name))
        self.new(Deal(contact.id, f"chat/{account}", 0))
        return self.new(Chat(account))

    def decide(self, fact: Any) -> None:
        match fact:
            case FormSubmitted(name=name, phones=(phone, *_), reference=reference, amount_minor=amount):
                contact = self.known(Contact.create_id(phone.e164)) or self.new(Contact(phone.e164, name))
                self.new(Deal(contact.id, reference, amount or 0))
            case PaymentReported(reference=reference, amount_minor=amount):
                if deal := self.known(Deal.create_id(None, reference)):
                    deal.pay(amount)
            case CallReported(call=call, phone=phone, phase=phase):
                if known := self.known(Call.create_id(call)):
                    known.move(phase)
                else:
                    self.new(Call(call, phone.e164, phase))
            case _:
                chat = self.known(Chat.create_id(fact.chat)) or self.opened(fact.chat, fact.sender_name)
                chat.receive(chat.count + 1, fact.text)


def written(event: Any) -> tuple[str, tuple[Any, ...]] | None:
    """Returns the statement for an event and its parameters."""
    name, of = type(event).__qualname__, event.originator_id
    match name:
        case "Contact.Registered":
            return name, (of, event.phone, event.name)
        case "Deal.Opened":
            return name, (of, event.contact_id, event.reference, event.amount)
        case "Deal.Paid":
            return name, (event.minor, of)
        case "Call.Began":
            return name, (of, event.phone, event.phase)
        case "Call.Moved":
            return name, (event.phase, of)
        case "Chat.Received":
            return name, (of, event.number, event.text)
    return None


class View(PostgresTrackingRecorder):
    """The rows, each transaction with how far it came."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.sql_create_statements.extend(SQL(table).format(Identifier(self.datastore.schema)) for table in TABLES)

    def write(self, events: Sequence[Any], tracking: Tracking) -> None:
        rows = [row for row in map(written, events) if row]
        with self.datastore.get_connection() as conn, conn.transaction(), conn.cursor() as cursor:
            self._insert_tracking(cursor, tracking)
            for name in WRITE:  # what is made comes before what changes it
                if mine := [parameters for of, parameters in rows if of == name]:
                    cursor.executemany(WRITE[name], mine)


class Rows(Projection[View]):
    name = "rows"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.write([domain_event], tracking)


def by_hand(app: Sales, view: View, at: int) -> int:
    """Projects what is new, in one transaction for each batch of notifications. Returns the last of them."""
    while found := app.recorder.select_notifications(at + 1, limit=4 * size):
        at = found[-1].id
        view.write([app.mapper.to_domain_event(one) for one in found], Tracking(app.name, at))
    return at


def main() -> None:
    env = event_store(dsn)
    values = [kafka_record(fact)[3] for fact in mixed_facts(Id(str(uuid4())), wanted)]
    batches = [values[n : n + size] for n in range(0, wanted, size)]
    if size == 1:
        with ProjectionRunner(application_class=Sales, projection_class=Rows, view_class=View, env=env) as runner:
            began = time.perf_counter(), time.process_time()
            for batch in batches:
                runner.app.take(batch)
            runner.wait(runner.app.recorder.max_notification_id(), timeout=300)
            report(runner.projection.view, *began)
        return
    app = Sales(env)
    view = InfrastructureFactory.construct(Environment(Rows.name, env)).tracking_recorder(View)
    began, at = (time.perf_counter(), time.process_time()), 0
    for batch in batches:
        app.take(batch)
        at = by_hand(app, view, at)
    report(view, *began)


def report(view: View, began: float, own: float) -> None:
    seconds, processor = time.perf_counter() - began, time.process_time() - own
    with view.datastore.get_connection() as conn, conn.cursor() as cursor:
        counts = cursor.execute(COUNTS).fetchone()
    print(json.dumps({"seconds": seconds, "processor": processor, "counts": [*counts.values()]}))


if __name__ == "__main__":
    main()
