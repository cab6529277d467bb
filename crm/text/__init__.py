"""Reads what people write: e-mails, names, amounts, dates and numbers. Pure functions of text."""
