"""Kubernetes manifests: rendered by Kustomize, checked against the published schemas and against the roles of Potik."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from crm.settings import Settings
from services.stack.role import ON_DEMAND, roles_of
from tests.support.tools import ROOT, run

KUSTOMIZE = ROOT / ".venv-tools" / "bin" / "kustomize"
KUBERNETES = "v1.37.0-local-strict"  # of the package kubernetes-validate: no field but those that there are
CUSTOM = {  # whose schemas tests/kubernetes/crd_schemas.py writes
    "Kafka": "kafkas",
    "KafkaNodePool": "kafkanodepools",
    "KafkaUser": "kafkausers",
    "Cluster": "clusters",
    "PodMonitor": "podmonitors",
}
EVERY_ROLE = {**roles_of(Settings(attachments="a place")), **ON_DEMAND}
WITHOUT_KEY = {"decide", "relay", "project"}  # docs/secrets.md
HEALTH = 8090
PROBES = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
NAME = "app.kubernetes.io/name"
MADE = {("Secret", name) for name in ("postgres-app", "potik", "kafka-cluster-ca-cert", "potik-secrets", "potik-tls")}
Manifest = dict[str, Any]
Manifests = Sequence[Manifest]


def rendered(folder: Path) -> list[Manifest]:
    """Returns what `kubectl apply -k FOLDER` would apply."""
    return list(yaml.safe_load_all(run(KUSTOMIZE, "build", folder)))


def schema_of(kind: str, api_version: str) -> Path:
    """Returns the file of a kind's schema. Raises FileNotFoundError where none is published."""
    group, _, version = api_version.rpartition("/")
    if kind in CUSTOM:
        return ROOT / "tests/kubernetes/schemas" / f"{CUSTOM[kind]}.json"
    name = "-".join([kind.lower(), *([group.partition(".")[0]] if group else []), version])
    pattern = f"lib/python3*/site-packages/kubernetes_validate/kubernetes-json-schema/{KUBERNETES}/{name}.json"
    for found in (ROOT / ".venv-tools").glob(pattern):
        return found
    raise FileNotFoundError(f"no schema of {kind} {api_version}")


@cache
def validator(kind: str, api_version: str) -> jsonschema_rs.Validator:
    file = schema_of(kind, api_version)

    def in_folder(address: str) -> Any:
        return json.loads((file.parent / address.rpartition("/")[2]).read_bytes())

    return jsonschema_rs.validator_for(json.loads(file.read_bytes()), retriever=in_folder)


def named(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def wrong_fields(manifests: Manifests) -> list[str]:
    """What the published schemas refuse, in sentences."""
    wrong = []
    for manifest in manifests:
        for error in validator(manifest["kind"], manifest["apiVersion"]).iter_errors(manifest):
            place = ".".join(str(part) for part in error.instance_path)
            wrong.append(f"{named(manifest)} at {place}: {error.message}")
    return wrong


def of_kind(manifests: Manifests, kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def wrong_roles(manifests: Manifests) -> list[str]:
    """What is amiss with the Deployments of the roles, in sentences."""
    deployments, budgets = of_kind(manifests, "Deployment"), of_kind(manifests, "PodDisruptionBudget")
    wrong = [f"The role {role} has no Deployment" for role in sorted(EVERY_ROLE.keys() - deployments.keys())]
    wrong += [f"{name} is no role" for name in sorted(deployments.keys() - EVERY_ROLE.keys())]
    for role in sorted(deployments.keys() & EVERY_ROLE.keys()):
        deployment = deployments[role]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        if deployment["spec"]["selector"]["matchLabels"] != {NAME: role} or labels.get(NAME) != role:
            wrong.append(f"{role} does not select its own pods")
        if (budget := budgets.get(role)) is None:
            wrong.append(f"{role} has no PodDisruptionBudget")
        elif budget["spec"] != {"maxUnavailable": 1, "selector": {"matchLabels": {NAME: role}}}:
            wrong.append(f"{role} has the PodDisruptionBudget of another one")
        wrong += [f"{role} {text}" for text in wrong_role(role, deployment["spec"]["template"]["spec"])]
    for manifest in [*deployments.values(), *of_kind(manifests, "Job").values()]:
        wrong += [f"{named(manifest)} {text}" for text in unneeded_rights(manifest["spec"]["template"]["spec"])]
    return wrong


def wrong_role(role: str, pod: Mapping[str, Any]) -> Iterator[str]:
    """Yields what is amiss with the pod of one role."""
    (container,) = pod["containers"]
    if container["args"] != ["python", "-m", EVERY_ROLE[role]]:
        yield f"runs {' '.join(container['args'])}"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe, path in PROBES.items():
        request = container.get(probe, {}).get("httpGet", {})
        if (request.get("path"), ports.get(request.get("port"))) != (path, HEALTH):
            yield f"has no {probe} that asks {path} at {HEALTH}"
    keys = {one["name"] for one in container["env"]}
    if ("CRM_SECRETS_KEY" in keys) == (role in WITHOUT_KEY):
        yield "has a key that it does not need" if role in WITHOUT_KEY else "has no key"


def unneeded_rights(pod: Mapping[str, Any]) -> Iterator[str]:
    """Yields what a pod may do and need not."""
    of_pod = pod.get("securityContext", {})
    if not of_pod.get("runAsNonRoot") or of_pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "may run as root, or call whatever the kernel offers"
    if pod.get("automountServiceAccountToken") is not False:
        yield "has a token of Kubernetes"
    for container in pod["containers"]:
        own = container.get("securityContext", {})
        if not own.get("readOnlyRootFilesystem") or own.get("allowPrivilegeEscalation") is not False:
            yield "may write to its image, or become another user"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield "has capabilities"
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            yield "does not say what it needs"
        for one in container["env"]:
            if "value" in one and any(word in one["name"] for word in ("PASSWORD", "KEY", "TOKEN", "DATABASE_URL")):
                yield f"has {one['name']} in clear"


def wrong_references(manifests: Manifests) -> list[str]:
    """Names of things that are nowhere, in sentences."""
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests} | MADE
    ports = {
        (service["metadata"]["name"], port["name"])
        for service in of_kind(manifests, "Service").values()
        for port in service["spec"]["ports"]
    }
    wrong = [f"{named(one)} is kept with the manifests" for one in manifests if one["kind"] == "Secret"]
    for manifest in manifests:
        for kind, name in references(manifest):
            if (kind, name) not in there:
                wrong.append(f"{named(manifest)} names {kind} {name}, which is nowhere")
    for service in of_kind(manifests, "Service").values():
        target = of_kind(manifests, "Deployment").get(service["spec"]["selector"][NAME], {})
        (container,) = target.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [{}])
        given = {port["name"] for port in container.get("ports", ())}
        wrong += [f"{named(service)} leads nowhere" for p in service["spec"]["ports"] if p["targetPort"] not in given]
    for ingress in of_kind(manifests, "Ingress").values():
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            to = path["backend"]["service"]
            if (to["name"], to["port"]["name"]) not in ports:
                wrong.append(f"{named(ingress)} sends {path['path']} nowhere")
    return wrong


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Yields kind and name of each thing that a manifest names."""
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        for key, inner in value.items():
            match key:
                case "scaleTargetRef":
                    yield inner["kind"], inner["name"]
                case "secretKeyRef" | "secretRef" if not inner.get("optional"):
                    yield "Secret", inner["name"]
                case "secretName":
                    yield "Secret", inner
                case "configMapRef":
                    yield "ConfigMap", inner["name"]
                case "labels" if "strimzi.io/cluster" in inner:
                    yield "Kafka", inner["strimzi.io/cluster"]
                case _:
                    yield from references(inner)
