"""Every metric of every role, a sentence each; docs/observing.md says which to look at first.

Names that common dashboards know where there is one (kafka_consumergroup_lag as kafka-exporter has it, http_requests),
crm_ for the rest; prometheus_client adds process_* of the process itself. Labels are few and bounded.
"""

from prometheus_client import Counter, Gauge, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)  # seconds
PLACE = ["consumergroup", "topic", "partition"]

# decide and project
HANDLED = Counter("crm_records_handled_total", "Records that took effect, by consumer.", ["consumer"])
RETRIES = Counter(
    "crm_transactions_retried_total",
    "Transactions run again after a failure, by consumer and kind of error.",
    ["consumer", "error"],
)
BATCH_SECONDS = Histogram("crm_batch_seconds", "Time of one transaction, by consumer.", ["consumer"], buckets=BUCKETS)
LAG_EVENTS = Gauge("kafka_consumergroup_lag", "Records behind the end of the log.", PLACE)
LAG_SECONDS = Gauge("kafka_consumergroup_lag_seconds", "Age of the oldest record that is not taken yet.", PLACE)
EVENTS = Counter("crm_events_decided_total", "Journal events decided, by type.", ["type"])
REPEATS = Counter("crm_facts_repeated_total", "Facts that had been decided before and were dropped.")
QUARANTINED = Counter("crm_facts_quarantined_total", "Facts put into quarantine.")
STUCK = Gauge("crm_projection_stuck", "1 while a projection is halted because its fold raised.", ["projection"])

# relay
LEADS = Gauge("crm_relay_leads", "1 in the one relay that carries the outbox to Kafka, 0 in those that stand by.")
WAITING = Gauge(
    "crm_quarantine_waiting",
    "Deliveries that wait in quarantine, by what is at risk: a lead (somebody may wait for an answer) or a payment.",
    ["risk"],
)
WAITING_SECONDS = Gauge("crm_quarantine_waiting_seconds", "Age of the oldest of them.", ["risk"])
PUBLISHED = Counter("crm_relay_published_total", "Journal events carried to Kafka.")
BACKLOG = Gauge("crm_relay_backlog", "Journal events in the outbox, on their way to Kafka.")
BACKLOG_SECONDS = Gauge("crm_relay_backlog_seconds", "Age of the oldest journal event in the outbox.")
OUTBOX = Gauge("crm_outbox_rows", "Transactions in the outbox.")

# outbound
OUTBOUND = Counter("crm_outbound_attempts_total", "Deliveries attempted, by kind and outcome.", ["kind", "outcome"])
OUTBOUND_SECONDS = Histogram("crm_outbound_seconds", "Time of one attempt, by kind.", ["kind"], buckets=BUCKETS)
OUTBOUND_WAITING = Gauge("crm_outbound_waiting", "Deliveries that wait or are being sent, in this process.")

# intake and api
REQUESTS = Counter(
    "http_requests_total", "Requests answered, by address and HTTP status.", ["method", "handler", "code"]
)
REQUEST_SECONDS = Histogram(
    "http_request_duration_seconds",
    "From a request's headers to the last byte of its answer, by address.",
    ["method", "handler"],
    buckets=BUCKETS,
)
DELIVERIES = Counter("crm_deliveries_total", "Deliveries answered, by connector and outcome.", ["connector", "outcome"])
POLLED = Counter("crm_polls_total", "Requests to vendors that are asked on a clock.", ["connector", "outcome"])
POLLED_ACCOUNTS = Gauge("crm_poll_accounts", "Connections that are asked on a clock, by this process.")
POLL_FAILING = Gauge("crm_poll_failing", "Those of them whose last request failed.")
POLL_LATE = Gauge("crm_poll_late_seconds", "How much later than its time the connection is that waits longest.")
FACTS = Counter("crm_facts_taken_total", "Facts that Kafka has acknowledged, by type.", ["type"])
LINES_REFUSED = Counter("crm_fact_lines_refused_total", "Lines of POST /facts that were refused.")
PENDING = Gauge("crm_intake_pending", "Facts that wait for Kafka.")
ERRORS = Counter("crm_api_errors_total", "Errors in GraphQL answers, by code.", ["code"])
SUBSCRIBERS = Gauge("crm_subscriptions", "Open GraphQL subscriptions, by what they follow.", ["projection"])
CONNECTIONS = Gauge("crm_api_connections", "Open websockets and event streams.", ["kind"])
LET_GO = Counter(
    "crm_api_connections_let_go_total",
    "Connections or operations refused or ended by a limit: connections, token, operations, messages, init, slow.",
    ["limit"],
)
SUBSCRIPTION_MESSAGES = Counter("crm_subscription_messages_total", "Results sent to subscribers.")
