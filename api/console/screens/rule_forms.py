"""What the forms of rules say, as the input of GraphQL."""

from datetime import timedelta

from api.console.questions import Declined, Row
from crm.envelope import now
from crm.errors import Malformed
from crm.moments import nearest
from crm.money import to_minor

LONGEST = 3_650  # days of a period


def stage_rule_in(given: dict[str, str]) -> Row:
    """Raises Declined when a number is none."""
    values = [line.partition("=") for line in given.get("template_values", "").splitlines() if line.strip()]
    template = {"name": given.get("template_name", ""), "language": given.get("template_language", "")}
    found = {
        "text": given.get("template_text", ""),
        "values": [{"key": key.strip(), "value": value.strip()} for key, _, value in values],
    }
    message = {"text": given.get("message", ""), **({"template": template | found} if template["name"] else {})}
    task = {
        "title": given.get("task", ""),
        "owner": given.get("task_owner", ""),
        "dueHours": whole(given, "due_hours"),
        "dueDays": whole(given, "due_days"),
    }
    return {
        "name": given.get("name", ""),
        "stage": given.get("stage", ""),
        "enabled": given.get("enabled") == "yes",
        "source": given.get("source", ""),
        "owner": given.get("owner", ""),
        **({"amountAtLeast": amount_in(given)} if given.get("amount") else {}),
        **({"task": task} if task["title"] else {}),
        **({"message": message} if message["text"] or template["name"] else {}),
        **({"webhookId": given["webhook"]} if given.get("webhook") else {}),
    }


def amount_in(given: dict[str, str]) -> Row:
    currency = given.get("currency", "")
    try:
        return {"minor": to_minor(given["amount"], currency), "currency": currency}
    except Malformed as error:
        raise Declined(f"{error} Nothing was changed.") from None


def assignment_rules_in(given: dict[str, str]) -> list[Row]:
    """Returns the lines that have a name, in the order of their numbers. Raises Declined when a number is none."""
    lines = sorted({name.partition(".")[2] for name in given if name.startswith("name.")}, key=int)
    found = []
    for line in lines:
        one = {name.partition(".")[0]: value for name, value in given.items() if name.endswith(f".{line}")}
        if one["name"]:
            found.append((whole(one, "place"), one))
    return [
        {
            "name": one["name"],
            "owners": one.get("owners", "").replace(",", " ").split(),
            "source": one.get("source", ""),
            "field": one.get("field", ""),
            "value": one.get("value", ""),
            "fromHour": whole(one, "from"),
            "toHour": whole(one, "to", 24),
            "pick": one.get("pick") or "round_robin",
        }
        for _, one in sorted(found, key=lambda pair: pair[0])
    ]


def period_in(given: dict[str, str]) -> Row:
    """Returns the last so many days, as GraphQL takes a period."""
    days = min(LONGEST, max(1, whole(given, "days", 30)))
    return {"since": (nearest(now()) - timedelta(days=days)).isoformat()}


def whole(given: dict[str, str], name: str, otherwise: int = 0) -> int:
    """Raises Declined."""
    text = given.get(name, "")
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal():
        raise Declined(f"{text!r} is no whole number. Nothing was changed.")
    return int(text)
