"""How GraphQL calls what a projection holds: its type, and the list of them."""

TYPES = {
    "timeline": "TimelineEntry",
    "quarantine": "QuarantinedDelivery",
    "connection": "Integration",  # a Connection is a page of a list here
    "token": "AccessToken",
    "field": "CustomField",
}
UNLISTED = ("pipeline",)  # there is one of it
LISTS = {"timeline": "timeline", "quarantine": "quarantine"}


def type_name(projection: str) -> str:
    return TYPES.get(projection, projection.capitalize())


def list_name(projection: str) -> str:
    """In Python's spelling."""
    named = snake(type_name(projection))
    return LISTS.get(projection, f"{named}s")


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() and n else letter.lower() for n, letter in enumerate(name))


def camel(name: str) -> str:
    """As GraphQL spells a Python name."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
