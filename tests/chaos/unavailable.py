"""What a fault says when this machine cannot play it."""

from crm.errors import CrmError


class Unavailable(CrmError):
    """The kernel or the rights for this fault are missing: nothing was changed, and the fault is left out by name."""
