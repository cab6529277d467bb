"""Roles with an injected fault, which the invariants must catch."""
