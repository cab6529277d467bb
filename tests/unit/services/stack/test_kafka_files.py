"""Kafka's jars are chosen by jgo's resolver alone."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jgo.maven
import pytest

from services.stack.kafka_files import JARS, resolve


class Context:
    """A Maven repository in which every named jar needs one at runtime and one for its tests."""

    def __init__(self, repo_cache: Path, remote_repos: dict[str, str]) -> None:
        self.folder, self.resolver = repo_cache, self

    def create_dependency(self, coordinate: str) -> Any:
        return self.dependency(coordinate.split(":")[1], "compile")

    def resolve(self, wanted: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
        return wanted, [self.dependency("needed", "runtime"), self.dependency("junit", "test")]

    def dependency(self, name: str, scope: str) -> Any:
        return SimpleNamespace(scope=scope, artifact=SimpleNamespace(resolve=lambda: self.folder / f"{name}.jar"))


def test_no_java_is_fetched_to_download_kafka(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """jgo's environments downloaded OpenJDK 11, or complained that they could not, on a machine without Java."""
    monkeypatch.setattr(jgo.maven, "MavenContext", Context)
    monkeypatch.setattr("jgo.util.java.JavaLocator.locate", lambda self: pytest.fail("Java was looked for"))
    names = [path.name for path in resolve(tmp_path)]
    assert names == ["kafka_2.13.jar", "needed.jar", "slf4j-simple.jar"]
    assert len(JARS) == 2
