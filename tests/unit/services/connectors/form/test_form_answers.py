"""What the sender of a form sees: a page, a redirect to an allowed host, or the id of what was kept."""

from dataclasses import replace

import pytest
from msgspec import json
from msgspec.structs import replace as changed

from crm.connector import Answer, Connection
from crm.facts import FormSubmitted
from services.connectors import CONNECTORS
from services.connectors.submissions.answers import allowed_address, language_of
from tests.support.connector_deliveries import connection, delivery, json_post
from tests.support.rehearse import Post, form

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
SITE = connection("form", redirect_hosts="www.shop.ua, localhost:5173")
OLENA = {"name": "Олена", "phone": "067 123 45 67"}


def posted(site: Connection, post: Post, **headers: str) -> tuple[FormSubmitted, Answer]:
    given = changed(delivery(post), headers={**post[0], **{k.replace("_", "-"): v for k, v in headers.items()}})
    connector = CONNECTORS["form"]
    facts = connector.receive(given, site)
    assert connector.webhook and isinstance(facts[0], FormSubmitted)
    return facts[0], connector.webhook.answer(given, site, facts)


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/json, text/html;q=0.1"])
def test_a_program_is_given_the_id_of_the_fact(accept: str) -> None:
    fact, answer = posted(SITE, form(OLENA), accept=accept)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.decode(answer.body) == {"id": fact.meta.id}


def test_a_browser_is_sent_on_to_an_allowed_host() -> None:
    fact, answer = posted(SITE, form({**OLENA, "_next": "https://www.shop.ua/дякуємо?a=1#top"}), accept=BROWSER)
    address = "https://www.shop.ua/%D0%B4%D1%8F%D0%BA%D1%83%D1%94%D0%BC%D0%BE?a=1#top"
    assert (answer.status, answer.body, dict(answer.headers)["location"]) == (303, b"", address)
    assert fact.fields == {}


def test_next_is_no_custom_field_and_makes_no_other_enquiry() -> None:
    (one, _), (other, _) = (
        posted(SITE, post) for post in (form(OLENA), json_post(json.encode({**OLENA, "_next": "https://www.shop.ua/"})))
    )
    assert (one.fields, other.fields, one.meta.id) == ({}, {}, other.meta.id)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//www.shop.ua/",
        "/thanks",
        "javascript:alert(1)//www.shop.ua",
        "https:www.shop.ua",
        "https:///www.shop.ua",
        "https://www.shop.ua@evil.example/",
        "https://www.shop.ua:@evil.example/",
        "https://www.shop.ua\\@evil.example/",
        "https://evil.example\\@www.shop.ua/",
        "https://evil.example/\\www.shop.ua",
        "https://www.shop.ua.evil.example/",
        "https://evil.example#@www.shop.ua/",
        "https://evil.example?www.shop.ua",
        "https://www.shop.ua:8443/",
        "https://localhost/",
        "https://shop.ua/",
        "https://www.shop.ua\t.evil.example/",
        "https://www.shop.ua/\r\nset-cookie: a=1",
        "https://www。shop。ua/",
        "ftp://www.shop.ua/",
        "https://www.shop.ua/" + "a" * 2_000,
        "",
    ],
)
def test_nobody_is_sent_anywhere_else(url: str) -> None:
    """An open redirect: a link to a shop's own form that ends on a stranger's page."""
    _, answer = posted(SITE, form({**OLENA, "_next": url}), accept=BROWSER)
    assert (answer.status, answer.content_type) == (200, "text/html; charset=utf-8")
    assert "location" not in dict(answer.headers)
    assert (b"_next was ignored" in answer.body) == bool(url)
    assert b"evil" not in answer.body


def test_without_the_setting_every_next_is_ignored() -> None:
    assert posted(connection("form"), form({**OLENA, "_next": "https://www.shop.ua/"}), accept=BROWSER)[1].status == 200
    assert allowed_address("https:///", "") == allowed_address("http://", "") == ""
    assert allowed_address("HTTP://LOCALHOST:5173", SITE.settings["redirect_hosts"]) == "HTTP://LOCALHOST:5173"


@pytest.mark.parametrize(
    ("accepted", "country", "language", "title"),
    [
        ("uk-UA,uk;q=0.9,en;q=0.8", "GB", "uk", "Дякуємо!"),
        ("en-US,en;q=0.9,uk;q=0.8", "UA", "en", "Thank you!"),
        ("pl,de;q=0.9", "UA", "uk", "Дякуємо!"),
        ("pl", "PL", "en", "Thank you!"),
        ("", "UA", "uk", "Дякуємо!"),
        ("uk;q=0, en;q=0.1", "UA", "en", "Thank you!"),
    ],
)
def test_the_page_speaks_the_browsers_language(accepted: str, country: str, language: str, title: str) -> None:
    assert language_of(accepted, country) == language
    site = replace(SITE, settings={"country": country})
    _, answer = posted(site, form({"name": "Olena", "email": "o@a.ua"}), accept=BROWSER, accept_language=accepted)
    page = answer.body.decode()
    assert f'<html lang="{language}">' in page and f"<title>{title}</title>" in page and f"<h1>{title}</h1>" in page
    assert "script" not in page
    assert dict(answer.headers)["content-language"] == language
