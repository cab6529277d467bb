"""What an operator does with quarantined deliveries: list, show, reparse, discard."""
