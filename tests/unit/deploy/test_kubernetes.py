"""The manifests of deploy/kubernetes are what Kubernetes and the operators accept, and have every role of Potik."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from crm.topics import INTAKE, JOURNAL
from services.cli import app
from tests.support import manifests
from tests.support.manifests import KUSTOMIZE, Manifest, of_kind, rendered
from tests.support.tools import ROOT
from tests.unit.crm.adapters.telemetry.test_dashboards import wrong_query

FOLDER = ROOT / "deploy/kubernetes"
PRODUCTION = FOLDER / "overlays/production"
Plant = Callable[[dict[tuple[str, str], Any]], object]


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    return rendered_or_skipped("base")


@pytest.fixture(scope="module")
def production() -> list[Manifest]:
    return rendered_or_skipped("overlays/production")


def rendered_or_skipped(folder: str) -> list[Manifest]:
    if not KUSTOMIZE.exists():
        pytest.skip("Kustomize is built with Go, which is not here: apt install golang, then make .venv/.ready")
    return rendered(FOLDER / folder)


def wrong(given: list[Manifest]) -> list[str]:
    return [*manifests.wrong_fields(given), *manifests.wrong_roles(given), *manifests.wrong_references(given)]


def test_base_and_overlay_are_right(base: list[Manifest], production: list[Manifest]) -> None:
    assert (wrong(base), wrong(production)) == ([], [])


def test_every_file_is_used() -> None:
    """Kustomize says nothing of a file that no kustomization.yaml names."""
    for folder in (FOLDER / "base", PRODUCTION):
        listed = (folder / "kustomization.yaml").read_text()
        found = {str(path.relative_to(folder)) for path in folder.rglob("*.yaml")} - {"kustomization.yaml"}
        assert {name for name in found if name not in listed} <= {"prometheus-adapter.yaml"}


def test_replicas_are_no_more_than_partitions(base: list[Manifest], production: list[Manifest]) -> None:
    scaled = {name: one["spec"] for name, one in of_kind(production, "HorizontalPodAutoscaler").items()}
    assert sorted(scaled) == ["api", "decide", "intake", "project"]
    assert scaled["decide"]["maxReplicas"] == max(topic.partitions for topic in INTAKE.values())
    assert scaled["project"]["maxReplicas"] == JOURNAL.partitions
    for name, deployment in of_kind(production, "Deployment").items():
        assert ("replicas" in deployment["spec"]) == (name not in scaled), name
    for name in ("imports", "attachments"):  # two would do the same work twice
        spec = of_kind(base, "Deployment")[name]["spec"]
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_lag_is_what_the_roles_measure(production: list[Manifest]) -> None:
    (rule,) = yaml.safe_load((PRODUCTION / "prometheus-adapter.yaml").read_text())["rules"]["external"]
    query = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'job="decide"')
    assert wrong_query(query) == []
    for role in ("decide", "project"):
        (metric,) = of_kind(production, "HorizontalPodAutoscaler")[role]["spec"]["metrics"]
        expected = {"name": rule["name"]["as"], "selector": {"matchLabels": {"job": role}}}
        assert metric["external"]["metric"] == expected
    assert of_kind(production, "PodMonitor")["potik"]["spec"]["jobLabel"] == manifests.NAME


def test_two_of_three_acknowledge(base: list[Manifest]) -> None:
    config = of_kind(base, "Kafka")["kafka"]["spec"]["kafka"]["config"]
    assert (config["min.insync.replicas"], config["unclean.leader.election.enable"]) == (2, False)
    assert of_kind(base, "KafkaNodePool")["brokers"]["spec"]["replicas"] == 3
    settings = next(iter(of_kind(base, "ConfigMap").values()))["data"]
    assert settings["CRM_KAFKA_REPLICATION"] == "3"
    postgres = of_kind(base, "Cluster")["postgres"]["spec"]
    assert (postgres["instances"], postgres["postgresql"]["synchronous"]) == (3, {"method": "any", "number": 1})


def test_pods_are_of_the_images_user(base: list[Manifest]) -> None:
    (user,) = re.findall(r"--uid (\d+) potik", (ROOT / "Dockerfile").read_text())
    pods = [one["spec"]["template"]["spec"] for one in base if one["kind"] in ("Deployment", "Job")]
    assert {pod["securityContext"]["runAsUser"] for pod in pods} == {int(user)}


def block(name: str, page: str = "kubernetes.md") -> str:
    marker = rf"<!-- kubernetes: {name} -->\n```sh\n(.*?)```"
    (found,) = re.findall(marker, (ROOT / "docs" / page).read_text(), re.DOTALL)
    return str(found)


def test_the_page_names_what_there_is(production: list[Manifest]) -> None:
    there = {(one["kind"].lower(), one["metadata"]["name"]) for one in production}
    commands = block("install") + block("upgrade")
    named = {("deployment", name) for name in re.findall(r"deployment/([a-z]+)", commands)}
    named |= {("job", name) for name in re.findall(r"\bjob[/ ]([a-z]+)", commands)}
    named |= {("namespace", name) for name in re.findall(r"(?:namespace|-n) ([a-z]+)", commands)}
    assert named == {("deployment", "api"), ("job", "setup"), ("namespace", "potik")} and named <= there
    assert set(re.findall(r"deploy/kubernetes/\S+", commands)) == {str(PRODUCTION.relative_to(ROOT))}
    for secret in re.findall(r"secret generic (\S+)", commands):
        assert ("Secret", secret) in manifests.MADE


def test_an_upgrade_applies_everything_readers_before_writers(production: list[Manifest]) -> None:
    order = {
        page: re.findall(r"for role in (.*?); do", text)[0].split()
        for page, text in (
            ("kubernetes", block("upgrade")),
            ("upgrading", (ROOT / "docs/upgrading.md").read_text()),
        )
    }
    assert order["kubernetes"][: len(order["upgrading"])] == order["upgrading"]
    assert sorted(order["kubernetes"]) == sorted(manifests.EVERY_ROLE)
    labelled = {"settings", "setup", *order["kubernetes"]}
    for one in production:
        if one["kind"] in ("ConfigMap", "Job", "Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"):
            assert one["metadata"]["labels"].get(manifests.NAME) in labelled, manifests.named(one)


def test_commands_of_the_page_are_there() -> None:
    for words in [line.split("-- crm ")[-1] for line in block("install").splitlines() if "-- crm " in line]:
        command, *options = re.split(r" (?=--)", words)
        shown = CliRunner().invoke(app, [*command.split(), "--help"])
        assert shown.exit_code == 0, command
        assert {option.split()[0] for option in options} <= set(re.findall(r"--[a-z]+", shown.stdout))


def container(given: dict[tuple[str, str], Any], role: str) -> Any:
    return given["Deployment", role]["spec"]["template"]["spec"]["containers"][0]


def renamed(given: dict[tuple[str, str], Any], old: tuple[str, str], name: str) -> None:
    given[old]["metadata"]["name"] = name


PLANTS: list[tuple[Plant, list[str]]] = [
    (
        lambda m: container(m, "api").update(readynessProbe={}),
        [
            "Deployment api at spec.template.spec.containers.0: Additional properties are not allowed "
            "('readynessProbe' was unexpected)"
        ],
    ),
    (
        lambda m: m["Kafka", "kafka"]["spec"]["kafka"].update(replicas=3),
        ["Kafka kafka at spec.kafka: Additional properties are not allowed ('replicas' was unexpected)"],
    ),
    (
        lambda m: m["Cluster", "postgres"]["spec"]["postgresql"]["synchronous"].update(method="some"),
        ['Cluster postgres at spec.postgresql.synchronous.method: "some" is not one of "any" or "first"'],
    ),
    (
        lambda m: m["KafkaNodePool", "brokers"]["spec"].pop("roles"),
        ['KafkaNodePool brokers at spec: "roles" is a required property'],
    ),
    (
        lambda m: m["HorizontalPodAutoscaler", "api"]["spec"].update(maxReplicas="8"),
        ['HorizontalPodAutoscaler api at spec.maxReplicas: "8" is not of type "integer"'],
    ),
    (lambda m: container(m, "relay").pop("livenessProbe"), ["relay has no livenessProbe that asks /livez at 8090"]),
    (
        lambda m: container(m, "relay")["readinessProbe"]["httpGet"].update(path="/livez"),
        ["relay has no readinessProbe that asks /readyz at 8090"],
    ),
    (
        lambda m: renamed(m, ("Deployment", "outbound"), "webhooks"),
        ["The role outbound has no Deployment", "webhooks is no role"],
    ),
    (
        lambda m: container(m, "decide").update(args=["python", "-m", "streams.project"]),
        ["decide runs python -m streams.project"],
    ),
    (
        lambda m: m["PodDisruptionBudget", "relay"]["spec"]["selector"]["matchLabels"].update({manifests.NAME: "api"}),
        ["relay has the PodDisruptionBudget of another one"],
    ),
    (lambda m: renamed(m, ("PodDisruptionBudget", "polling"), "poll"), ["polling has no PodDisruptionBudget"]),
    (
        lambda m: container(m, "api")["env"].append({"name": "CRM_SECRETS_KEY", "value": "abc"}),
        ["Deployment api has CRM_SECRETS_KEY in clear"],
    ),
    (
        lambda m: container(m, "relay")["securityContext"].update(readOnlyRootFilesystem=False),
        ["Deployment relay may write to its image, or become another user"],
    ),
    (
        lambda m: m["HorizontalPodAutoscaler", "decide"]["spec"]["scaleTargetRef"].update(name="decides"),
        ["HorizontalPodAutoscaler decide names Deployment decides, which is nowhere"],
    ),
    (
        lambda m: m["Service", "intake"]["spec"]["ports"][0].update(targetPort="web"),
        ["Service intake leads nowhere"],
    ),
    (
        lambda m: m["Ingress", "potik"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"].update(name="x"),
        ["Ingress potik sends /in nowhere"],
    ),
]


@pytest.mark.parametrize(("plant", "said"), PLANTS)
def test_a_planted_fault_is_found(production: list[Manifest], plant: Plant, said: list[str]) -> None:
    given = deepcopy(production)
    plant({(one["kind"], one["metadata"]["name"]): one for one in given})
    assert wrong(given) == said


def test_a_new_role_without_manifest_is_found(base: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(manifests.EVERY_ROLE, "billing", "services.billing")
    assert wrong(base) == ["The role billing has no Deployment"]


def test_a_kind_without_schema_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="no schema of Deployement apps/v1"):
        manifests.wrong_fields([{"apiVersion": "apps/v1", "kind": "Deployement", "metadata": {"name": "x"}}])
