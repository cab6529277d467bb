"""`crm import` on a running stack: checked, imported, killed in the middle, imported again; each row counts once."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from crm.imports import Phase
from services.imports.importing import CHUNK
from tests.e2e.test_kills import part
from tests.support.running_stack import RunningStack, wait_until
from tests.support.timeouts import TIMEOUT

ROWS = 12 * CHUNK
FOUND = "query($key: String!) { contacts(account: $key) { nodes { name phones emails fields } } }"


def table(folder: Path, name: str, rows: int, city: str = "Львів", code: str = "050 9") -> Path:
    """A file in windows-1251, as Excel writes it, with a row of too many cells and one that says nothing."""
    file = folder / name
    lines = [f"{n:06};Олена Тест {n};{code}{n:06};{city}" for n in range(rows)]
    text = "\r\n".join(["Код;ПІБ;Телефон;Місто", *lines, "x;Хто;1;2;3", "y;;;", ""])
    file.write_bytes(text.encode("cp1251"))
    return file


def contacts(stack: RunningStack, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.ask(FOUND, key=key)["contacts"]["nodes"]
    return found


def test_a_file_is_checked_imported_and_imported_again(stack: RunningStack, tmp_path: Path) -> None:
    file = table(tmp_path, "клієнти.csv", 700)
    checked = stack.terminal.run_json(f"import {file} --system first --dry-run", expect=1)
    assert (checked["phase"], checked["record"], checked["found"]) == (
        "checked",
        "contact",
        {"charset": "cp1251", "delimiter": ";"},
    )
    assert checked["counts"] == {
        "rows": 702, "create": 700, "update": 0, "unchanged": 0, "skip": 1, "error": 1, "doubt": 0,
    }  # fmt: skip
    assert contacts(stack, "first:000007") == []
    done = stack.terminal.run_json(f"import {file} --system first --yes", expect=1)
    assert (done["phase"], done["decided"], done["counts"]["error"], done["row"]) == ("done", 700, 1, 703)
    stack.settle()
    assert contacts(stack, "first:000007") == [
        {"name": "Олена Тест 7", "phones": ["+380509000007"], "emails": [], "fields": {"Місто": "Львів"}}
    ]
    failed = (tmp_path / "клієнти.failed.csv").read_bytes().decode("cp1251").splitlines()
    assert failed[0] == "Код;ПІБ;Телефон;Місто;reason" and failed[1].startswith("x;Хто;1;2;")
    again = stack.terminal.run_json(f"import {file} --system first --dry-run", expect=1)["counts"]
    assert (again["create"], again["update"], again["unchanged"]) == (0, 0, 700)
    corrected = table(tmp_path, "corrected.csv", 700)
    old, new = (f"000007;{name};".encode("cp1251") for name in ("Олена Тест 7", "Олена Коваль"))
    corrected.write_bytes(corrected.read_bytes().replace(old, new))
    changed = stack.terminal.run_json(f"import {corrected} --system first --dry-run", expect=1)["counts"]
    assert (changed["create"], changed["update"], changed["unchanged"]) == (0, 1, 699)


def test_a_run_that_is_killed_goes_on(stack: RunningStack, tmp_path: Path) -> None:
    file = table(tmp_path, "many.csv", ROWS, "Одеса")
    terminal = stack.terminal
    terminal.run_json(f"import {file} --system second --dry-run", expect=1)
    words = [sys.executable, "-m", "services.cli", "import", str(file), "--system", "second", "--yes", "--json"]
    seen: dict[str, Any] = {}

    def midway() -> str | None:
        seen.update(terminal.run_json(f"import {file} --status"))
        midway = seen["phase"] == Phase.RUNNING and seen["row"] > CHUNK
        return None if midway or seen["phase"] == Phase.DONE else f"{seen['phase']} {seen['row']}"

    with subprocess.Popen(words, env=terminal.environment, cwd=terminal.root, stdout=subprocess.PIPE) as begun:
        wait_until(midway)
        os.kill(part(stack, "imports").pid, signal.SIGKILL)
        said, _ = begun.communicate(timeout=TIMEOUT)
        assert begun.returncode == 1, said
    done = terminal.run_json(f"import {file} --status")
    assert (done["phase"], done["decided"], done["counts"]["rows"], done["counts"]["error"]) == (
        "done",
        ROWS,
        ROWS + 2,
        1,
    )
    stack.settle()
    rows = stack.connection().execute("SELECT count(*) FROM read.contact WHERE fields ->> 'Місто' = 'Одеса'").fetchall()
    assert rows == [(ROWS,)]


def columns(stack: RunningStack, city: str) -> list[Any]:
    """All that the cards of a city say, but for how many events they are a fold of and when."""
    query = (
        "SELECT contact_id, name, source, phones, emails, accounts, fields, created_at FROM read.contact "
        "WHERE fields ->> 'Місто' = %s ORDER BY contact_id"
    )
    return stack.connection().execute(query, [city]).fetchall()


def test_an_import_is_undone_and_done_again(stack: RunningStack, tmp_path: Path) -> None:
    file = table(tmp_path, "undo.csv", 700, "Рівне", "063 7")
    terminal = stack.terminal
    terminal.run_json(f"import {file} --system third --yes", expect=1)
    stack.settle()
    imported = columns(stack, "Рівне")
    assert len(imported) == 700
    checked = terminal.run_json(f"import undo {file} --dry-run")
    assert (checked["phase"], checked["undo"]["contacts"], checked["undo"]["kept"]) == ("undo-checked", 700, 0)
    assert columns(stack, "Рівне") == imported
    undone = terminal.run_json(f"import undo {file} --yes")
    assert (undone["phase"], undone["undo"]["contacts"], undone["undo"]["number"]) == ("undone", 700, 1)
    stack.settle()
    assert columns(stack, "Рівне") == []
    again = terminal.run_json(f"import undo {file} --yes")
    again["undo"].pop("after")
    nothing = {"number": 0, "contacts": 0, "deals": 0, "objects": 0, "set_back": 0, "kept": 0, "reasons": []}
    assert (again["phase"], again["undo"]) == ("undone", nothing)
    done = terminal.run_json(f"import redo {file}")
    assert (done["phase"], done["decided"]) == ("done", 700)
    stack.settle()
    assert columns(stack, "Рівне") == imported
    over = table(tmp_path, "over.csv", 700, "Луцьк", "063 7")
    terminal.run_json(f"import {over} --system third --yes", expect=1)
    back = terminal.run_json(f"import undo {over} --yes")
    assert (back["phase"], back["undo"]["set_back"]) == ("undone", 700)
    stack.settle()
    assert columns(stack, "Рівне") == imported


IMPORT = "query($id: ID!) { fileImport(id: $id) { phase progress decided counts { rows error } message failedRows } }"


def change(stack: RunningStack, wish: str, id: str, options: str = "") -> dict[str, Any]:
    what = f"done: import{wish}(id: $id{options})"
    mutation = f"mutation($id: ID!) {{ {what} {{ fileImport {{ phase }} userErrors {{ message }} }} }}"
    done: dict[str, Any] = stack.ask(mutation, id=id)["done"]
    return done


def test_a_file_is_imported_by_graphql_and_goes_on_after_a_pause(stack: RunningStack, tmp_path: Path) -> None:
    file = table(tmp_path, "by-hand.csv", ROWS, "Суми")
    url = f"{stack.graphql_url.removesuffix('/graphql')}/imports?name={file.name}"
    authorized = {"authorization": f"Bearer {stack.token}"}
    sent = httpx.post(url, content=file.read_bytes(), headers=authorized, timeout=TIMEOUT)
    id = sent.json()["id"]

    def until(*phases: str, least: int = 0) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def missing() -> str | None:
            seen.update(stack.ask(IMPORT, id=id)["fileImport"])
            return None if seen["phase"] in phases and seen["decided"] >= least else str(seen)

        wait_until(missing)
        return seen

    assert until("CHECKED")["counts"] == {"rows": ROWS + 2, "error": 1}
    assert change(stack, "Run", id, ', options: {system: "fourth"}') == {
        "fileImport": {"phase": "WAITING"}, "userErrors": [],
    }  # fmt: skip
    until("RUNNING", "DONE", least=1)
    paused = change(stack, "Pause", id)
    if not paused["userErrors"] and until("PAUSED", "DONE")["phase"] == "PAUSED":  # it may have been done before
        assert change(stack, "Run", id)["userErrors"] == []
    done = until("DONE")
    assert (done["counts"], done["decided"], done["progress"]) == ({"rows": ROWS + 2, "error": 1}, ROWS, 1.0)
    assert change(stack, "Cancel", id)["userErrors"] == [
        {"message": "It is done, so there is nothing to stop. Nothing was changed."}
    ]
    listed = stack.ask("{ imports(first: 1) { id name phase checked { rows error } } }")["imports"]
    assert listed == [{"id": id, "name": "by-hand.csv", "phase": "DONE", "checked": {"rows": ROWS + 2, "error": 1}}]
    failed = httpx.get(f"{url.partition('?')[0]}/{id}/failed", headers=authorized, timeout=TIMEOUT)
    assert failed.content.decode("cp1251").splitlines()[1].startswith("x;Хто;1;2;")
    stack.settle()
    assert contacts(stack, "fourth:000007")[0]["phones"] == ["+380509000007"]
