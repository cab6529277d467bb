"""Sends a file of facts: `crm produce`."""
