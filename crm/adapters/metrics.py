"""Every metric of the streams, a sentence each. Lag in events and seconds by partition is the first figure."""

from prometheus_client import Counter, Gauge, Histogram

HANDLED = Counter("crm_records_handled_total", "Records that took effect, by consumer.", ["consumer"])
EVENTS = Counter("crm_events_decided_total", "Journal events decided, by type.", ["type"])
REPEATS = Counter("crm_facts_repeated_total", "Facts that had been decided before and were dropped.")
QUARANTINED = Counter("crm_facts_quarantined_total", "Facts put into quarantine.")
RETRIES = Counter(
    "crm_transactions_retried_total", "Transactions run again after a failure, by consumer.", ["consumer"]
)
PUBLISHED = Counter("crm_relay_published_total", "Journal events carried to Kafka.")
BATCH_SECONDS = Histogram(
    "crm_batch_seconds",
    "Time of one transaction, by consumer.",
    ["consumer"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
LAG_EVENTS = Gauge("crm_lag_events", "Records behind the end of the log.", ["consumer", "topic", "partition"])
LAG_SECONDS = Gauge("crm_lag_seconds", "Age of the newest record that took effect.", ["consumer", "topic", "partition"])
BACKLOG = Gauge("crm_relay_backlog", "Journal events in the outbox that Kafka does not have yet.")
STUCK = Gauge("crm_projection_stuck", "1 while a projection stands still because its fold raised.", ["projection"])
