"""Who is signed in, remembered for a minute: their name and scopes, and their workspace's stages and owners."""

import time

from api.console.questions import Questions, Row

SECONDS = 60.0
MOST = 1_000  # tokens


class People:
    """What is known of those who are at the console, by their token."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[float, Row]] = {}

    async def of(self, questions: Questions) -> Row:
        """Raises Unauthorized when the token is not known, or no more; Declined."""
        questions.check()
        now = time.monotonic()
        found = self.known.get(questions.authorization)
        if found and found[0] > now:
            return found[1]
        data = await questions.ask("me")
        stages = (data["pipeline"] or {"stages": []})["stages"]
        labels = {one["key"]: one["label"] for one in stages}
        me: Row = {**data["me"], "stages": labels, "owners": owners_in(data)}
        if len(self.known) >= MOST:
            self.known.clear()
        self.known[questions.authorization] = now + SECONDS, me
        return me


def owners_in(data: Row) -> list[Row]:
    """Returns who deals are given to: those who were added, else those whom the assignment rules name."""
    added = [one for one in data["owners"]["nodes"] if one["active"]]
    rules = (data["assignmentRules"] or {"rules": []})["rules"]
    named = dict.fromkeys(owner for rule in rules for owner in rule["owners"])
    return added or [{"key": key, "name": ""} for key in named]
