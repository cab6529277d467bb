"""The vendor simulator: each vendor's own side over real HTTP. Its API takes a key and sets a webhook, and then it
delivers: with the vendor's retries, order and limits, through faults."""
