"""Formats that several vendors share, read leniently."""
