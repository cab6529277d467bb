"""The GraphQL names of a projection: its type and its list."""

TYPES = {
    "timeline": "TimelineEntry",
    "quarantine": "QuarantinedDelivery",
    "connection": "Integration",  # in GraphQL a Connection is a page of a list
    "token": "AccessToken",
    "field": "CustomField",
    "object_type": "ObjectType",
    "deal_line": "DealLine",
    "stage_rule": "StageRule",
    "assignment_rules": "AssignmentRules",
}
UNLISTED = ("pipeline", "assignment_rules")  # there is only one
LISTS = {"timeline": "timeline", "quarantine": "quarantine", "assignment_rules": "assignment_rules"}


def type_name(projection: str) -> str:
    return TYPES.get(projection, projection.capitalize())


def list_name(projection: str) -> str:
    """Returns the name of a list in snake case."""
    named = snake(type_name(projection))
    return LISTS.get(projection, f"{named}s")


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() and n else letter.lower() for n, letter in enumerate(name))


def camel(name: str) -> str:
    """Returns a snake case name in camel case."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)
