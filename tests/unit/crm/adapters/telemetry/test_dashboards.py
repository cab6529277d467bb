"""Dashboard and alerts name what the roles really measure, and say what to do; each check is seen to find a fault."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from crm.adapters.telemetry import metrics
from services.stack.role import ON_DEMAND, ROLES
from tests.support.tools import ROOT

DASHBOARD = ROOT / "deploy/grafana/potik.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
SCRAPED = ROOT / "deploy/prometheus/prometheus.yml"
PAGE = ROOT / "docs/observing.md"
OURS = {metric.describe()[0].name: metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)}
SAMPLES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
FOREIGN = {
    "up": {"job", "instance"},  # by Prometheus itself
    "node_filesystem_avail_bytes": {"fstype", "mountpoint"},  # by node_exporter
    "node_filesystem_size_bytes": {"fstype", "mountpoint"},
}
UNNEEDED: set[str] = set()  # on no panel, each for a reason
ROWS = ["Flow", "Lag", "Relay", "Projections", "Intake", "Polling", "Outbound", "API", "Quarantine", "Servers"]


def known() -> dict[str, set[str]]:
    """Every sample that a query may name, and its labels."""
    found = dict(FOREIGN)
    for name, metric in OURS.items():
        for suffix in SAMPLES[metric.describe()[0].type]:
            found[name + suffix] = {*metric._labelnames, "le"} if suffix == "_bucket" else set(metric._labelnames)
    found |= {
        family.name + "_total" * (family.type == "counter"): set()
        for family in REGISTRY.collect()
        if family.name.startswith("process_")
    }
    return found


def selectors(query: Any) -> Iterator[Any]:
    """The metrics that a parsed query reads."""
    if isinstance(query, promql_parser.VectorSelector):
        yield query
    for part in ("expr", "lhs", "rhs", "vector_selector"):
        if (inner := getattr(query, part, None)) is not None:
            yield from selectors(inner)
    for argument in getattr(query, "args", ()):
        yield from selectors(argument)


def named(query: str) -> set[str]:
    return {selector.name for selector in selectors(promql_parser.parse(query))}


def wrong_query(query: str) -> list[str]:
    """What is wrong with one query, in sentences."""
    try:
        parsed = promql_parser.parse(query)
    except ValueError as error:
        return [f"{query} does not parse: {error}"]
    there = known()
    wrong = [f"{query} reads {name}, which nobody measures" for name in sorted(named(query) - there.keys())]
    labels = {"job", "instance"} | {label for name in named(query) & there.keys() for label in there[name]}
    used = {m.name for s in selectors(parsed) for m in s.matchers.matchers} | set(
        re.findall(r"\w+", " ".join(re.findall(r"\b(?:by|on|without|ignoring) ?\(([^)]*)\)", query)))
    )
    return wrong + ([] if wrong else [f"{query} asks for the label {label}" for label in sorted(used - labels)])


def wrong_dashboard(dashboard: Any) -> list[str]:
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    wrong = [text for panel in panels for target in panel["targets"] for text in wrong_query(target["expr"])]
    wrong += [f"{p['title']} has another data source" for p in panels if p["datasource"]["uid"] != "${datasource}"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    wrong += [f"the panel id {id} is given twice" for id in sorted({id for id in ids if ids.count(id) > 1})]
    shown = {
        name for p in panels for t in p["targets"] for name in (named(t["expr"]) if not wrong_query(t["expr"]) else ())
    }
    for name, metric in OURS.items():
        if not UNNEEDED & {name} and not shown & {name + s for s in SAMPLES[metric.describe()[0].type]}:
            wrong.append(f"no panel shows {name}")
    return wrong


def anchors(page: str) -> set[str]:
    """The addresses of a page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.M)}


def wrong_alerts(alerts: Any, page: str) -> list[str]:
    wrong = []
    for rule in [rule for group in alerts["groups"] for rule in group["rules"]]:
        name, annotations = rule["alert"], rule["annotations"]
        wrong += [f"{name}: {text}" for text in wrong_query(rule["expr"])]
        if rule["labels"].get("severity") not in ("critical", "warning"):
            wrong.append(f"{name} has no severity")
        wrong += [
            f"{name}: its {key} is no sentence" for key in ("summary", "description") if annotations[key][-1] != "."
        ]
        path, _, anchor = annotations["runbook"].partition("#")
        if path != str(PAGE.relative_to(ROOT)) or anchor not in anchors(page):
            wrong.append(f"{name}: {annotations['runbook']} is nowhere")
    return wrong


def dashboard() -> Any:
    return json.loads(DASHBOARD.read_text())


def alerts() -> Any:
    return yaml.safe_load(ALERTS.read_text())


def test_the_dashboard_shows_what_is_measured() -> None:
    assert wrong_dashboard(dashboard()) == []


def test_the_dashboard_is_one_for_grafana() -> None:
    given = dashboard()
    assert (given["schemaVersion"], given["uid"], given["title"]) == (39, "potik", "Potik")
    assert [panel["title"] for panel in given["panels"] if panel["type"] == "row"] == ROWS
    assert [(v["name"], v["type"], v["query"]) for v in given["templating"]["list"]] == [
        ("datasource", "datasource", "prometheus")
    ]
    for panel in given["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24 and at["h"] > 0, panel["title"]


def test_alerts_say_what_to_do() -> None:
    assert wrong_alerts(alerts(), PAGE.read_text()) == []


def test_every_role_is_scraped() -> None:
    scraped = yaml.safe_load(SCRAPED.read_text())
    jobs = [job["job_name"] for job in scraped["scrape_configs"]]
    assert sorted(jobs) == sorted([*ROLES, *ON_DEMAND, "node"])
    assert scraped["rule_files"] == [ALERTS.name]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert {*ROLES, *ON_DEMAND} < compose["services"].keys()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sum(rate(crm_facts_taken_totals[1m]))", ["reads crm_facts_taken_totals, which nobody measures"]),
        ("rate(crm_batch_seconds[1m])", ["reads crm_batch_seconds, which nobody measures"]),
        ("sum by (group) (kafka_consumergroup_lag)", ["asks for the label group"]),
        ('kafka_consumergroup_lag{consumer="x"}', ["asks for the label consumer"]),
        ("sum by (le) (rate(crm_batch_seconds_bucket[1m])) / (up > 0)", []),
    ],
)
def test_a_wrong_query_is_found(query: str, said: list[str]) -> None:
    assert wrong_query(query) == [f"{query} {text}" for text in said]


def test_a_query_that_does_not_parse_is_found() -> None:
    (said,) = wrong_query("sum(rate(up[1m])")
    assert said.startswith("sum(rate(up[1m]) does not parse: ")


def test_a_metric_that_no_panel_shows_is_found() -> None:
    given = dashboard()
    given["panels"] = [p for p in given["panels"] if p["title"] != "Leaders"]
    assert wrong_dashboard(given) == ["no panel shows crm_relay_leads"]


def test_a_wrong_panel_is_found() -> None:
    given = dashboard()
    one, two = [p for p in given["panels"] if p["type"] != "row"][:2]
    one["datasource"] = {"type": "prometheus", "uid": "mine"}
    two["id"] = one["id"]
    assert wrong_dashboard(given) == [
        f"{one['title']} has another data source",
        f"the panel id {one['id']} is given twice",
    ]


def test_a_wrong_rule_is_found() -> None:
    given = alerts()
    rule = given["groups"][0]["rules"][0]
    rule |= {"alert": "Planted", "expr": "upp == 0", "labels": {"severity": "loud"}}
    rule["annotations"] = {"summary": "Down", "description": "Start it.", "runbook": "docs/observing.md#nowhere"}
    assert wrong_alerts(given, PAGE.read_text()) == [
        "Planted: upp == 0 reads upp, which nobody measures",
        "Planted has no severity",
        "Planted: its summary is no sentence",
        "Planted: docs/observing.md#nowhere is nowhere",
    ]
