"""Facts straight to Kafka with Confluent's client, which asks the schema registry of Potik's API."""

import os
from uuid import NAMESPACE_URL, uuid5

from confluent_kafka import DeserializingConsumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient, record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "crm.intake.facts"
WORKSPACE, BOOTSTRAP = os.environ["WORKSPACE"], os.environ["KAFKA_BOOTSTRAP"]
registry = SchemaRegistryClient({"url": os.environ["REGISTRY"]})
options = {
    "auto.register.schemas": False,
    "use.latest.version": True,
    "subject.name.strategy": record_subject_name_strategy,
}


def serializer(record):
    return AvroSerializer(registry, registry.get_latest_version(f"crm.{record}").schema.schema_str, conf=options)


def meta(name, sender, moment):
    fact = str(uuid5(NAMESPACE_URL, f"https://shop.example/{name}"))
    source = str(uuid5(NAMESPACE_URL, "https://shop.example"))
    ids = {"id": fact, "workspace": WORKSPACE, "stream": sender, "source": source, "cause": fact}
    return {**ids, "occurred_at": moment, "recorded_at": moment}


form, call = serializer("FormSubmitted"), serializer("CallReported")
context = SerializationContext(TOPIC, MessageField.VALUE)
producer = Producer({"bootstrap.servers": BOOTSTRAP, "enable.idempotence": True, "linger.ms": 5})
failed = []
for n in range(3):
    phone = {"text": f"+38050543210{n}", "e164": f"+38050543210{n}"}
    sender = str(uuid5(NAMESPACE_URL, f"tel:{phone['e164']}"))
    raw = {"content_type": "application/json", "headers": {}, "query": "", "body": f'{{"order":{n}}}'.encode()}
    facts = [
        form(
            {
                "meta": meta(f"orders/{n}", sender, 1_772_359_200_000_000),
                "raw": raw,
                "name": f"Олена {n}",
                "phones": [phone],
                "fields": {"order": str(n)},
            },
            context,
        ),
        call(
            {
                "meta": meta(f"calls/{n}", sender, 1_772_359_260_000_000),
                "raw": {**raw, "body": b"{}"},
                "call": f"confluent-{n}",
                "phase": "completed",
                "direction": "in",
                "phone": phone,
            },
            context,
        ),
    ]
    for fact in facts:
        producer.produce(TOPIC, fact, key=sender, on_delivery=lambda error, _: error and failed.append(error))
producer.flush()
if failed:
    raise SystemExit(f"{len(failed)} facts were not stored: {failed[0]}")
print(f"6 facts are in {TOPIC}")

# And back: each value names its schema by its id, whatever its type is.
consumer = DeserializingConsumer(
    {
        "bootstrap.servers": BOOTSTRAP,
        "group.id": f"example-{WORKSPACE}",
        "value.deserializer": AvroDeserializer(registry),
        "enable.auto.commit": False,
    }
)
partitions = consumer.list_topics(TOPIC).topics[TOPIC].partitions
consumer.assign([TopicPartition(TOPIC, n, 0) for n in partitions])
own = 0
while own < 6:
    record = consumer.poll(30)
    if record is None:
        raise SystemExit(f"Only {own} of the 6 facts were read back.")
    own += str(record.value()["meta"]["workspace"]) == WORKSPACE
consumer.close()
print(f"{own} facts were read back")
