"""Settings: one frozen record from the environment, read only in entry files."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

TAKES = {int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Settings:
    """What a role must know about its surroundings. Each field is the environment variable CRM_<NAME>, but for the two
    that everybody knows by another name: KAFKA_BOOTSTRAP and DATABASE_URL."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    database_url: str = "postgresql://postgres@127.0.0.1:5432/potik"
    host: str = "127.0.0.1"
    intake_port: int = 8080
    api_port: int = 8081
    public_url: str = ""  # of intake as vendors call it, such as https://crm.example.com: some vendors sign the URL
    trust_forwarded: int = 0  # 1: a proxy overwrites X-Forwarded-For, -Proto and -Host, so they are believed
    cors_origins: str = ""  # whose web pages may call from a browser: origins by commas; `*` for forms only
    api_url: str = ""  # of the API, where intake finds out who is calling; empty: at api_port of the same host
    intake_inside_url: str = ""  # of intake, where the API has deliveries read again; empty: at intake_port
    health_port: int = 0  # decide, relay and project: where /livez, /readyz and /metrics are; 0 takes a free one
    instance: str = "1"  # of this replica; never two alive with one
    kafka_replication: int = 1
    max_body: int = 1_000_000  # bytes of one delivery
    max_mail_body: int = 40_000_000  # bytes of one delivery of a mail with its files: docs/mail.md
    max_batch_body: int = 32_000_000  # bytes of one POST /facts
    max_pending: int = 20_000  # facts that may wait for Kafka before intake answers 503
    keep_alive: int = 75  # seconds that intake and the API hold an idle connection: past the 60 s of most proxies
    produce_timeout: float = 3.0  # seconds that a vendor waits for Kafka before a 503
    quarantine_limit: int = 100  # of the last 1,000 facts: past it, and past half of them, decide stops; 0: never
    rate_points: int = 600_000  # a minute for each token and API process, a row read is one; 0: without a limit
    introspection: str = "any"  # or admin or none: whose tokens may read the schema, and hear why a query does not fit
    trusted_documents: str = ""  # a folder of .graphql files or a manifest: what `documentId` asks for
    attachments: str = (
        ""  # where files of messages, forms and calls are stored: a folder or s3://bucket; empty: nowhere
    )
    imports: str = ""  # where files of imports are kept: a folder or s3://bucket; `crm up` sets it
    exports: str = ""  # a file of TOML: exports on a schedule, which the role imports writes: docs/sql.md
    outbound: int = 1  # 0: `crm up` sends nothing, as in a drill with real data: docs/backup.md
    webhook_hosts: str = ""  # by commas: to which webhooks may be sent though not public, and by http: for tests
    archive: str = ""  # a folder that `crm archive` made: `why` finds there what Kafka no longer has
    stack: str = ""  # a file in which `crm up` says how its processes are; it sets this
    trusted_only: int = 0  # 1: nothing but these documents is run
    secrets_key: str = field(default="", repr=False)  # what secrets of connections are encrypted with: docs/secrets.md
    secrets_key_file: str = ""  # a file of such keys
    log_format: str = "text"  # or json
    log_level: str = "info"

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises ValueError with the variable's name when a value does not fit."""
        given: dict[str, Any] = {}
        for one in fields(cls):
            name = variable(one.name)
            if name in environment:
                kind: type[Any] = type(one.default)
                try:
                    given[one.name] = kind(environment[name])
                except ValueError:
                    raise ValueError(f"{name} is {environment[name]!r}; it takes {TAKES[kind]}.") from None
        return cls(**given)

    def masked(self) -> dict[str, str]:
        """For people: every setting under its variable's name, the password of an address and each key hidden."""
        shown = {variable(f.name): mask(str(getattr(self, f.name))) for f in fields(self)}
        return shown | ({"CRM_SECRETS_KEY": "***"} if self.secrets_key else {})


def variable(name: str) -> str:
    return name.upper() if name in ("kafka_bootstrap", "database_url") else f"CRM_{name.upper()}"


def mask(value: str) -> str:
    """An address without its password, wherever it stands in it: user:password@, ?password= or libpq's key=value."""
    parts = urlsplit(value)
    if parts.password:
        value = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":***@")))
    value = re.sub(r"(//[^/?#@:]*:)[^@/?#]+@", r"\1***@", value)  # also where the scheme is none
    return re.sub(r"(password=)('[^']*'|[^&\s]+)", r"\1***", value)
