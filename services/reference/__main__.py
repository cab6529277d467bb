"""Writes the pages: `python -m services.reference` (part of `make events`)."""

from services.reference import asyncapi
from services.reference.events_page import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
asyncapi.FILE.write_text(asyncapi.text(), encoding="utf-8")
