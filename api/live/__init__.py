"""What changes, as it happens: the journal, subscriptions, freshness."""
