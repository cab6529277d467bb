"""The console's pages below /console, as an ASGI application."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.access import bearer
from api.console import languages, pages, session
from api.console.files import SignedIn
from api.console.languages import Speaker, language_of
from api.console.live import Live
from api.console.people import People
from api.console.questions import Declined, Questions, Row
from api.console.screens import CHANGES, SCREENS
from api.console.view import Screen, View
from api.errors import Unauthorized
from api.http.attachments import Attachments
from api.http.endpoint import MakeContext, Stream
from api.http.imports import Imports
from api.live.subscriptions.operation import Operations
from crm.adapters.telemetry.health import Ready

Answers = Callable[[Request], Awaitable[Response]]
NOBODY: Row = {"name": "", "scopes": [], "intakeUrl": "", "workspace": None, "stages": {}, "owners": []}


class Console:
    """Answers browsers. `context` makes the context of a request from its Authorization, `stream` follows changes."""

    def __init__(
        self,
        operations: Operations,
        context: MakeContext,
        stream: Stream,
        attachments: Attachments,
        imports: Imports,
        ready: Ready,
    ) -> None:
        self.operations, self.context, self.people, self.ready = operations, context, People(), ready
        routes = [
            Route("/console", self.home),
            Route("/console/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/console/sign-out", self.changing(self.sign_out), methods=["POST"]),
            Route("/console/language/{language}", self.changing(self.speak), methods=["POST"]),
            Route("/console/static/{name}", self.asset),
            Route("/console/files", SignedIn(attachments), methods=["GET"]),
            Route("/console/imports", SignedIn(imports), methods=["POST"]),
            Route("/console/imports/{id}/failed", SignedIn(imports), methods=["GET"]),
            Route("/console/live/{name}", Live(context, stream, ready), methods=["GET"]),
        ]
        routes += [Route(path, self.screen(screen)) for path, screen in SCREENS.items()]
        routes += [
            Route(path, self.changing(self.screen(screen)), methods=["POST"]) for path, screen in CHANGES.items()
        ]
        routes.append(Route("/console/{rest:path}", self.screen(no_page)))
        self.app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
        self.app.router.redirect_slashes = False

    def screen(self, screen: Screen) -> Answers:
        async def answer(request: Request) -> Response:
            me, known = NOBODY, session.position_of(request)
            questions = Questions(self.operations, self.context, session.token_of(request), known)
            try:
                me = await self.people.of(questions)
                response = await screen(View(request, questions, speaker_of(request, me), me))
                if questions.position != known:
                    session.keep_position(response, questions.position)
                return response
            except Unauthorized:
                if missing := self.ready():  # it has just started and does not know the tokens yet
                    return problem(request, me, missing, HTTPStatus.SERVICE_UNAVAILABLE)
                return to_sign_in(request)
            except Declined as declined:
                return problem(request, me, declined.message, declined.status)
            except LookupError:
                no_card = speaker_of(request, me).words.gettext("There is no such card.")
                return problem(request, me, no_card, 404)

        return answer

    def changing(self, answers: Answers) -> Answers:
        async def answer(request: Request) -> Response:
            if not session.is_from_us(request):
                return session.not_ours()
            return await answers(request)

        return answer

    async def home(self, request: Request) -> Response:
        return RedirectResponse("/console/board", HTTPStatus.SEE_OTHER)

    async def sign_in(self, request: Request) -> Response:
        speaker = Speaker(language_of(request))
        if request.method == "GET":
            return pages.page("sign_in", speaker, wrong="")
        if not session.is_from_us(request):
            return session.not_ours()
        token = str((await request.form()).get("token", "")).strip()
        try:
            bearer(self.context("").access, f"Bearer {token}")
        except Unauthorized as error:
            return pages.page("sign_in", speaker, 401, wrong=error.message)
        answer = RedirectResponse("/console/board", HTTPStatus.SEE_OTHER)
        session.sign_in(request, answer, token)
        return answer

    async def sign_out(self, request: Request) -> Response:
        answer = RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER)
        session.sign_out(answer)
        return answer

    async def speak(self, request: Request) -> Response:
        answer = RedirectResponse(request.headers.get("referer") or "/console/board", HTTPStatus.SEE_OTHER)
        if (language := request.path_params["language"]) in languages.LANGUAGES:
            answer.set_cookie(languages.COOKIE, language, path=session.PATH, samesite="lax", max_age=365 * 86_400)
        return answer

    async def asset(self, request: Request) -> Response:
        found = pages.asset(request.path_params["name"])
        if found is None:
            return Response(status_code=404)
        return Response(found[0], headers={"content-type": found[1], "cache-control": "max-age=3600"})


async def no_page(view: View) -> Response:
    raise Declined(view.speaker.words.gettext("There is no such page. The screens are at the top."), 404)


def to_sign_in(request: Request) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"hx-redirect": "/console/sign-in"})
    return RedirectResponse("/console/sign-in", HTTPStatus.SEE_OTHER)


def speaker_of(request: Request, me: Row) -> Speaker:
    return Speaker(language_of(request), (me["workspace"] or {}).get("timezone", ""))


def problem(request: Request, me: Row, message: str, status: int) -> Response:
    part = request.headers.get("hx-request") or request.method == "POST"
    return pages.page("parts/problem" if part else "problem", speaker_of(request, me), status, message=message, me=me)
