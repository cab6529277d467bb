"""Quarantined deliveries in the hands of an operator: looked at, taken up again, discarded."""
