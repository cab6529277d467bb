"""`GET /screen-pop` on real servers: who is calling, for whom, resumed without loss or repeat."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from msgspec.structs import replace

from api.live.journal import Journal
from crm.envelope import now
from crm.scalars import Id, Micros
from projections import PROJECTIONS
from projections.conversation import ConversationRow
from projections.owner import OwnerRow
from tests.support.graphql_server import ApiServer, FakeToken, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.screen import UNCLOSED, Ringing, brief, screen, until_closed
from tests.support.shop_rows import NOON, OLENA_PHONE, OTHER, SHOP, call, contact, delete_of, id_of, insert

pytestmark = UNCLOSED
TARAS, IRYNA = "taras@shop.ua", "iryna"
OFFICE = "+380443334455"
CALLS = PROJECTIONS["call"].qualified_name


def owner(key: str, name: str, extension: str) -> OwnerRow:
    at = Micros(NOON)
    return OwnerRow(id_of(key), key, name, "", "", extension, True, 1, at, at)


@pytest.fixture(scope="module")
def served_api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            delete_of(connection, CALLS, SHOP)
            talk = (id_of("talk"), id_of("Olena's old card"), "telegram", "5", "Olena", 2, None, "Чи є двері?")
            insert(
                connection,
                SHOP,
                owner(TARAS, "Taras", "101"),
                owner(IRYNA, "Iryna", "102"),
                ConversationRow(*talk, Micros(NOON), Micros(NOON), unanswered=True),
                contact("Nina", 6, phones=(OFFICE,), doubted={f"phone:{OFFICE}": f'["{id_of("Petro")}"]'}),
            )
        yield api
        until_closed(api)


@pytest.fixture
def topic(kafka_bootstrap: str) -> JournalTopic:
    return JournalTopic(kafka_bootstrap)


@pytest.fixture
def api(served_api: ApiServer, topic: JournalTopic) -> ApiServer:
    served_api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    return served_api


def olena() -> Ringing:
    return Ringing(SHOP, id_of("Olena"), OLENA_PHONE)


def test_the_screen_shows_who_is_calling_before_the_projection_knows_the_call(
    api: ApiServer, topic: JournalTopic
) -> None:
    ringing = olena()
    with screen(api) as shown:
        topic.publish(ringing.rings("101"))
        kind, said = shown.next()
        topic.publish([ringing.report("answered", "101")])
        end = shown.next()
    assert said.pop("rang_at").startswith("20")
    taras = {"key": TARAS, "name": "Taras", "email": "", "phone": "", "extension": "101"}
    by = {"said": "101", "owners": [taras]}
    assert (kind, said) == (
        "ring",
        {
            "call_id": ringing.id,
            "contact_id": id_of("Olena"),
            "phone": OLENA_PHONE,
            "phone_text": OLENA_PHONE,
            "line": "+380441112233",
            "employee": by,
            "match": "certain",
            "contacts": [
                {
                    "contact_id": id_of("Olena"),
                    "name": "Olena",
                    "owner": {"key": TARAS, "name": "Taras"},
                    "open_deals": [
                        {
                            "deal_id": id_of(f"deal {number}"),
                            "number": number,
                            "title": f"Order {number}",
                            "stage": stage,
                            "amount": "202.00 UAH",
                            "owner": who,
                        }
                        for number, stage, who in ((7, "new", TARAS), (8, "new", ""))
                    ],
                    "conversation": {
                        "conversation_id": id_of("talk"),
                        "channel": "telegram",
                        "title": "Olena",
                        "last_text": "Чи є двері?",
                        "at": "2026-01-01T12:00:00.000000Z",
                        "unanswered": True,
                    },
                }
            ],
        },
    )
    assert end == ("end", {"call_id": ringing.id, "why": "answered", "by": by, "disposition": ""})


def test_each_employee_sees_the_calls_that_ring_at_theirs(api: ApiServer, topic: JournalTopic) -> None:
    """A call that names nobody is shown to everybody, until it names somebody or somebody answers."""
    first, second, third = olena(), olena(), olena()
    with screen(api, TARAS) as taras, screen(api, "102") as iryna:
        topic.publish(first.rings("101"))
        topic.publish(second.rings("iryna"))
        topic.publish(third.rings())
        assert brief(taras.next()) == ("ring", "certain", ["Olena"], "101")
        assert brief(taras.next()) == ("ring", "certain", ["Olena"], "")
        assert brief(iryna.next()) == ("ring", "certain", ["Olena"], "iryna")
        assert brief(iryna.next()) == ("ring", "certain", ["Olena"], "")
        topic.publish([third.report("ringing", "101", leg="b")])
        assert brief(iryna.next()) == ("end", "rings_another")
        assert brief(taras.next()) == ("ring", "certain", ["Olena"], "101")
        topic.publish([third.report("ringing", "102", leg="c")])
        assert brief(iryna.next()) == ("ring", "certain", ["Olena"], "102")
        topic.publish([third.report("answered", TARAS), second.report("completed", disposition="no_answer")])
        assert brief(taras.next()) == ("end", "answered")
        kind, said = iryna.next()
        assert (kind, said["why"], said["by"]["said"]) == ("end", "answered_by_another", TARAS)
        assert iryna.next()[1] == {"call_id": second.id, "why": "ended", "by": None, "disposition": "no_answer"}


def test_an_unknown_number_is_said_to_be_unknown(api: ApiServer, topic: JournalTopic) -> None:
    """The card that the call itself made has the number too, and is nobody."""
    new = Ringing(SHOP, id_of("new card"), "+380997776655", known=False)
    hidden = Ringing(SHOP, id_of("hidden"), "", known=False)
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        insert(connection, SHOP, contact("new card", phones=(new.phone,)))
    with screen(api) as shown:
        topic.publish([*new.rings(), *hidden.rings()])
        found = sorted(brief(shown.next()) for _ in range(2))
    assert found == [("ring", "none", [], "")] * 2


def test_everybody_who_may_be_calling_is_shown(api: ApiServer, topic: JournalTopic) -> None:
    """A number that was seen with two people names neither of them, not even the one whose card has it."""
    with screen(api) as shown:
        topic.publish(Ringing(SHOP, id_of("no card"), OFFICE, known=False).rings())
        assert brief(shown.next()) == ("ring", "uncertain", ["Nina", "Petro"], "")


def test_a_last_event_id_resumes_without_loss_or_repeat(api: ApiServer, topic: JournalTopic, database_url: str) -> None:
    """Also at another replica, which never saw the call ring."""
    seen, missed = olena(), olena()
    with screen(api, TARAS) as shown:
        topic.publish(seen.rings("101"))
        assert brief(shown.next())[0] == "ring"
        last = shown.last
    topic.publish([*missed.rings("101"), seen.report("answered", "102"), *olena().rings("102")])
    api.app.screen_pop.pops.facts.clear()  # as of a process that has just started
    api.app.screen_pop.pops.found.clear()
    with screen(api, TARAS, last=last) as shown:
        found = [shown.next() for _ in range(2)]
        topic.publish([missed.report("completed")])
        rest = shown.next()
        again = shown.last
    calls = {said["call_id"]: brief((kind, said))[:2] for kind, said in found}
    assert calls == {missed.id: ("ring", "certain"), seen.id: ("end", "answered_by_another")}
    assert (rest[1]["call_id"], brief(rest)) == (missed.id, ("end", "ended"))
    topic.publish(olena().rings("101"))
    with screen(api, TARAS, last=again) as shown:
        assert brief(shown.next())[0] == "ring"


def test_a_workspace_sees_its_own_calls_and_contacts(api: ApiServer, topic: JournalTopic) -> None:
    """The other workspace has a contact with the same number."""
    theirs = Ringing(OTHER, id_of("Olena"), OLENA_PHONE)
    with screen(api) as ours, screen(api, token="crm_live_other") as other:
        topic.publish([*theirs.rings("101"), *olena().rings("101")])
        _, said = other.next()
        assert (said["call_id"], said["employee"]["owners"]) == (theirs.id, [])
        assert [(one["name"], one["open_deals"], one["conversation"]) for one in said["contacts"]] == [
            ("Olena", [], None)
        ]
        assert ours.next()[1]["call_id"] != theirs.id
        last = ours.last
    answer = ask(api, token="crm_live_other", last=last)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_CURSOR")


def ask(
    api: ApiServer, query: str = "", token: str = "crm_live_shop", last: str = "", method: str = "GET"
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} | ({"last-event-id": last} if last else {})
    return api.client.request(method, f"http://127.0.0.1:{api.port}/screen-pop{query}", headers=headers)


@pytest.mark.parametrize(
    ("query", "token", "last", "method", "refused"),
    [
        ("", "crm_live_none", "", "GET", (401, "UNAUTHORIZED")),
        ("", "crm_live_w", "", "GET", (403, "FORBIDDEN")),
        ("", "crm_live_shop", "nonsense", "GET", (400, "BAD_CURSOR")),
        ("?employee=", "crm_live_shop", "", "GET", (400, "BAD_REQUEST")),
        ("?employe=101", "crm_live_shop", "", "GET", (400, "BAD_REQUEST")),
        ("", "crm_live_shop", "", "POST", (405, "METHOD_NOT_ALLOWED")),
    ],
)
def test_what_is_refused(
    api: ApiServer, query: str, token: str, last: str, method: str, refused: tuple[int, str]
) -> None:
    answer = ask(api, query, token, last, method)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == refused


def test_a_revoked_token_ends_the_stream(api: ApiServer) -> None:
    api.keys.known["crm_live_brief"] = FakeToken(SHOP)
    with screen(api, token="crm_live_brief") as shown:
        del api.keys.known["crm_live_brief"]
        kind, said = shown.next()
        assert (kind, said["code"]) == ("refused", "UNAUTHORIZED")
        assert list(shown.events()) == []


def test_a_call_of_long_ago_and_one_of_our_own_do_not_ring(api: ApiServer, topic: JournalTopic) -> None:
    old, own, inside, live = olena(), olena(), Ringing(SHOP, Id(id_of("colleague")), "", False), olena()
    old.began = Micros(old.began - 3_600_000_000)
    with screen(api) as shown:
        topic.publish([*old.rings("101"), own.opened("out"), own.report("ringing", "101", direction="out")])
        topic.publish([inside.opened(""), inside.report("ringing", "101", direction="")])
        topic.publish(live.rings("101"))
        assert shown.next()[1]["call_id"] == live.id


def test_a_screen_that_is_opened_while_it_rings_shows_the_call(api: ApiServer, topic: JournalTopic) -> None:
    """The report that is in the row already comes once more by the journal, and is not shown again."""
    ringing, at = olena(), now()
    leg = '{"leg":"%s","started_at":1,"employee":"%s"%s}'
    legs = leg % ("a", "102", ',"disposition":"no_answer"'), leg % ("b", "101", "")
    row = replace(call("under way", "ringing", Micros(at)), call_id=ringing.id, legs=legs)
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        insert(connection, SHOP, row, replace(call("of long ago", "ringing", Micros(at - 3_600_000_000))))
        insert(connection, SHOP, replace(call("answered", "answered", Micros(at)), employee="101"))
    try:
        with screen(api, TARAS) as taras, screen(api, IRYNA) as iryna:
            assert brief(taras.next()) == ("ring", "certain", ["Olena"], "101")
            topic.publish(ringing.rings("101", leg="b"))
            topic.publish([ringing.report("answered", "101", leg="b")])
            assert brief(taras.next()) == ("end", "answered")
            live = olena()
            topic.publish(live.rings("102"))
            assert iryna.next()[1]["call_id"] == live.id
    finally:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            delete_of(connection, CALLS, SHOP)
