"""Signature schemes that several vendors share."""
