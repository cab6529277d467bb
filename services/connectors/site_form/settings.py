"""What a form shows, and what is suspicious in what it sends."""

from typing import Annotated

from msgspec import Meta

from services.connectors.submissions.settings import PageSettings

_SHORT = {"pattern": r".{0,200}"}
_ORIGIN = r"https?://[^\s,/]+"


class Settings(PageSettings, frozen=True, gc=False):
    """The settings of a connection to forms on one's own pages."""

    origins: Annotated[
        str,
        Meta(
            description="Origins of the pages that have the form, separated by commas. What comes from elsewhere is "
            "kept and marked as suspicious. Empty: every page.",
            examples=["https://www.example.com"],
            extra={"pattern": rf"(?:{_ORIGIN}(?:\s*,\s*{_ORIGIN})*)?"},
        ),
    ] = ""
    fields: Annotated[
        str,
        Meta(
            description="The fields, separated by commas: NAME, a * if it is required, then :LABEL and =CHOICE|CHOICE "
            "where they are needed. Known names: name, phone, email, company, message.",
            examples=["name*,phone*,city:Місто,size:Розмір=S|M|L,message"],
            extra={"pattern": r".{0,1000}"},
        ),
    ] = ""
    title: Annotated[str, Meta(description="The form's heading.", extra=_SHORT)] = ""
    button: Annotated[str, Meta(description="The text of its button.", extra=_SHORT)] = ""
    thanks: Annotated[str, Meta(description="What its sender reads afterwards.", extra=_SHORT)] = ""
    min_seconds: Annotated[
        int, Meta(description="A form that was filled in within fewer seconds is marked as suspicious.")
    ] = 2
    most_a_minute: Annotated[
        int, Meta(description="How many forms one address may send in a minute; more are marked as suspicious.")
    ] = 10
