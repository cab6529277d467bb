"""Tables of what vendors' words stand for."""


def meanings(**words: str) -> dict[str, str]:
    """Returns what each word means: `arrived="7 8"` is {"7": "arrived", "8": "arrived"}. For words without spaces."""
    return {word: meaning for meaning, listed in words.items() for word in listed.split()}
