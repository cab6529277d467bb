"""Every metric of the intake, a sentence each."""

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter("crm_deliveries_total", "Deliveries answered, by connector and outcome.", ["connector", "outcome"])
FACTS = Counter("crm_facts_taken_total", "Facts that Kafka has acknowledged, by type.", ["type"])
LINES_REFUSED = Counter("crm_fact_lines_refused_total", "Lines of POST /facts that were refused.")
PENDING = Gauge("crm_intake_pending", "Facts that wait for Kafka.")
SECONDS = Histogram(
    "crm_delivery_seconds",
    "From a delivery's whole body to Kafka's acknowledgement.",
    buckets=(0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 3),
)
