"""Requests that are plainly no form, though they come to a form's URL: a builder asks or tells something."""

from services.connectors.formats.exact_json import Tree
from services.connectors.formats.values import first, text

_YES = (True, 1, "true", "1", "yes")


def notice_of(tree: Tree) -> str:
    """Returns the kind of a request that is plainly no form; empty for anything else."""
    if tree == {"test": "test"}:
        return "tilda test"  # Tilda asks so whether somebody listens
    if "attributes" in tree or isinstance(tree.get("message"), dict):
        return _google_notice(tree)
    if tree.get("is_test") in _YES or (tree.get("test") is True and "line_items" in tree):
        return "test"  # its sender says so: Google Ads, Shopify
    return ""


def _google_notice(tree: Tree) -> str:
    """Returns the kind of a Pub/Sub notification, which holds no answers: they have to be fetched."""
    if text(tree, "attributes", "formId") or text(tree, "message", "attributes", "formId"):
        return f"google forms {first(tree.get('attributes') or tree.get('message'), 'eventType') or 'notice'}"
    return ""
