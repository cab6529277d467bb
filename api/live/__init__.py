"""Live data: the journal, subscriptions and the freshness of read models."""
