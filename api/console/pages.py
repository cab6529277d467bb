"""Makes pages of templates: what is put into them is escaped, and what they may load comes from us alone."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from api.console.languages import Speaker

HERE = Path(__file__).parent
THEIRS = "django_htmx"  # a wheel that carries htmx. Its Python code is never run: it needs Django
SCRIPTS = {"htmx.js": "htmx-2.min.js"}
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@cache
def environment(language: str) -> Environment:
    speaker = Speaker(language)
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(speaker.words, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    return made


def page(template: str, speaker: Speaker, status: int = 200, **shown: Any) -> Response:
    made = environment(speaker.language).get_template(f"{template}.html")
    text = made.render(
        language=speaker.language,
        money=speaker.money,
        some=speaker.some,
        moment=speaker.moment,
        ago=speaker.ago,
        duration=speaker.duration,
        is_past=speaker.is_past,
        word=speaker.vocabulary.word,
        sentence=speaker.vocabulary.sentence,
        local=speaker.local,
        number=speaker.number,
        **shown,
    )
    return HTMLResponse(text, status, HEADERS)


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """Returns content and type of a script or a style."""
    file = theirs() / SCRIPTS[name] if name in SCRIPTS else HERE / "static" / name
    kind = KINDS.get(file.suffix)
    if kind is None or file.parent not in (theirs(), HERE / "static") or not file.is_file():
        return None
    return file.read_bytes(), kind


def theirs() -> Path:
    spec = find_spec(THEIRS)
    assert spec and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "static" / THEIRS
