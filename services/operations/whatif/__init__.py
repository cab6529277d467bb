"""What if: a past period decided again by other rules, beside what really happened. Nothing live is touched."""
