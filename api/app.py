"""The ASGI application: /graphql, the schema registry, GraphiQL, a start page and the health checks."""

from functools import partial
from pathlib import Path

from api.access import ANYONE, Access, MayIntrospect
from api.commands.executor import CommandExecutor
from api.commands.rereads import Rereads
from api.console.app import Console
from api.context import Context
from api.engine import Engine
from api.graphiql import POLICY, static
from api.http.attachments import Attachments
from api.http.endpoint import Endpoint, Receive, Scope, Send, reply
from api.http.exports import Exports
from api.http.imports import PATH as IMPORTS
from api.http.imports import Imports
from api.http.oauth import OAuthCallback
from api.http.schema_registry import PATH, registry
from api.http.screen_pop import PATH as SCREEN_POP
from api.http.screen_pop import ScreenPopEndpoint
from api.http.sockets import Sockets
from api.http.sse import Streams
from api.limits.rates import Rates
from api.live.changes import Changes
from api.live.freshness import Freshness
from api.live.processing import Processing
from api.live.screen_pop import ScreenPops
from api.live.subscriptions.keepalive import Keepalive
from api.live.subscriptions.limits import LIMITS, ConnectionLimits, Limits
from api.live.subscriptions.operation import Operations
from api.sql.pool import Pool
from api.trusted import NO_DOCUMENTS, TrustedDocuments
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.cors import NO_ORIGINS, Origins
from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.telemetry.health import Ready, answer
from crm.adapters.trial_store import TrialStore
from crm.exports import PATH as EXPORTS
from crm.oauth_link import PATH as OAUTH


class App:
    """Routes requests by path. It serves only small static responses itself."""

    def __init__(
        self,
        pool: Pool,
        access: Access,
        changes: Changes,
        ready: Ready,
        max_body: int = 1_000_000,
        rate_points: int = 0,
        may_introspect: MayIntrospect = ANYONE,
        trusted: TrustedDocuments = NO_DOCUMENTS,
        executor: CommandExecutor | None = None,
        freshness: Freshness | None = None,
        limits: Limits = LIMITS,
        archive: Path | None = None,
        stack: Path | None = None,
        origins: Origins = NO_ORIGINS,
        intake_url: str = "",
        intake_inside_url: str = "http://127.0.0.1:8080",
        attachments: AttachmentStore | None = None,
        activity: ActivityDirectory | None = None,
        imports: ImportStore | None = None,
    ) -> None:
        self.ready = ready
        exports = ExportStore(imports.store) if imports else None
        engine, rates = Engine(freshness, may_introspect=may_introspect, trusted=trusted), Rates(rate_points)
        context = partial(
            Context,
            pool,
            access,
            changes,
            executor=executor,
            archive=archive,
            stack=stack,
            activity=activity,
            attachments=attachments,
            imports=imports,
            exports=exports,
            trials=TrialStore(imports.store) if imports else None,
            processing=Processing(executor) if executor else None,
            rereads=Rereads(intake_inside_url, executor) if executor else None,
            intake_url=intake_url,
        )
        operations = Operations(engine, changes.hub, rates)
        connections, keepalive = ConnectionLimits(limits), Keepalive(limits.ping)
        self.sockets = Sockets(operations, connections, keepalive, context, origins)
        self.attachments = Attachments(attachments, access, ready)
        streams = Streams(operations, connections, keepalive)
        self.endpoint = Endpoint(engine, access, context, ready, max_body, rates, streams)
        self.screen_pop = ScreenPopEndpoint(ScreenPops(pool, changes, freshness), self.endpoint, connections, keepalive)
        self.imports = Imports(imports, access, ready)
        self.console = Console(operations, context, streams, self.attachments, self.imports, ready)
        self.exports = Exports(exports, executor.keys if executor else None)
        self.oauth = OAuthCallback(executor)
        self.routed = origins.for_api(self.route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.routed(scope, receive, send)

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
        elif scope["path"] == "/graphql" and not wants_page(scope):
            await self.endpoint(scope, receive, send)
        elif scope["path"] == "/graphql":
            status, body, kind = static("/graphql")
            await reply(send, status, body, kind, (b"content-security-policy", POLICY.encode()))
        elif scope["path"].startswith(PATH):
            await registry()({**scope, "root_path": PATH.rstrip("/")}, receive, send)
        elif scope["path"] == "/console" or scope["path"].startswith("/console/"):
            await self.console.app(scope, receive, send)
        elif scope["path"] == "/attachments":
            await self.attachments(scope, receive, send)
        elif scope["path"].startswith(IMPORTS):
            await self.imports(scope, receive, send)
        elif scope["path"].startswith(EXPORTS):
            await self.exports(scope, receive, send)
        elif scope["path"] == SCREEN_POP:
            await self.screen_pop(scope, receive, send)
        elif scope["path"] == OAUTH:
            await self.oauth(scope, receive, send)
        else:
            status, body, kind = answer(scope["path"], self.ready) or static(scope["path"])
            await reply(send, status, body, kind)


def wants_page(scope: Scope) -> bool:
    """Tells whether this is a browser that opens the address, rather than a GraphQL request."""
    return scope["method"] in ("GET", "HEAD") and not scope["query_string"]
