"""What people type where a form insists: it identifies nobody."""

WORDS = frozenset(("-", "—", "немає", "нема", "нет", "no", "none", "null", "n/a", "test", "тест"))
MAILS = frozenset(("no@mail.com", "test@test.com", "-"))


def is_placeholder(kind: str, value: str) -> bool:
    """`kind`: name, email or phone."""
    plain = value.strip().casefold()
    return plain in WORDS or (kind == "email" and plain in MAILS) or (kind == "phone" and plain == "+380000000000")
