"""Errors by what happens next. Each message says what happened, what was kept, what to do."""


class CrmError(Exception):
    """Base of all errors that are part of the product."""


class Refused(CrmError):
    """The delivery is not authentic: answer 401 and keep nothing."""


class Malformed(CrmError):
    """Authentic, but it cannot be understood: quarantine it with the raw bytes, answer success, go on."""


class NotYet(CrmError):
    """It will work later: park it or try again, and hold the order."""


class Broken(CrmError):
    """Something that must never be: stop loudly."""
