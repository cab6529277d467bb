"""Reads workbooks and text with a delimiter as rows of texts, for whatever takes files: imports and statements."""
