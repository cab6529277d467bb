"""A file that cannot be read as rows."""


class Unreadable(ValueError):
    """`why`: a sentence. `what_to_do`: another one, or empty. Who reads the file says what was kept of it."""

    def __init__(self, why: str, what_to_do: str = "") -> None:
        super().__init__(f"{why} {what_to_do}".rstrip())
        self.why, self.what_to_do = why, what_to_do
