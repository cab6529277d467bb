"""What those who rebuild read models and those who show it agree on."""

LOCK = 7_068_010  # an advisory lock: its second number is the hash of the read model's name
CUT_OFF = "It was cut off, and the rows from before are served. `crm rebuild` begins from scratch."
