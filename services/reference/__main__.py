"""Writes the pages: `python -m services.reference` (part of `make events`)."""

from services.reference.events_page import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
