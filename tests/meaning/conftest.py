"""Prints the score by topic."""

from collections import Counter

import pytest

ROW = "{:<16} {:>6} {:>6} {:>6}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    score: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            _, _, name = report.nodeid.partition("test_means_what_a_careful_person_would_say[")
            if name and report.when == "call":
                score.setdefault(name.partition(":")[0], Counter())[outcome] += 1
    if score:
        terminalreporter.section("meaning")
        terminalreporter.line(ROW.format("topic", "cases", "right", "wrong"))
        for topic, count in [*sorted(score.items()), ("all", sum(score.values(), Counter()))]:
            terminalreporter.line(ROW.format(topic, count.total(), count["passed"], count["failed"]))
