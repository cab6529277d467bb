"""Sends the answers that people give in conversations."""
