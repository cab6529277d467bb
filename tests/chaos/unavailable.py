"""The error of a fault that this machine cannot run."""

from crm.errors import CrmError


class Unavailable(CrmError):
    """Kernel support or permissions are missing. Nothing was changed; the fault is skipped."""
