"""The six stories, sent as the vendors send them, against a running stack."""
