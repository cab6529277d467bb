"""What a rebuild is measured beside: other libraries folding the same events, each a program of its own."""
