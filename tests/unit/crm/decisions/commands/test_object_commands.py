"""Objects changed by hand: checked like custom fields, and not undone by a source that only repeats itself."""

from crm.commands import Code
from crm.events import ObjectChanged
from tests.support.object_scenarios import SELLER, marketplace, reported, row_of, stored
from tests.support.scenarios import an

HIS = {"type": "seller", "key": "42"}


def test_what_a_person_changed_stays_until_the_source_says_something_else() -> None:
    session = marketplace().when(reported(status="active", fields={"city": "Lviv"}))
    session.do("object_change", **HIS, status="blocked", fields={"city": '"Kyiv"'})
    session.then(an(ObjectChanged, by_hand=True, moment=0, status="blocked", fields={"city": '"Kyiv"'}, whole=False))
    session.when(reported(at=1, status="active", fields={"city": "Lviv"}))
    row = row_of(session)
    assert row and (row.status, row.fields) == ("blocked", {"city": '"Kyiv"'})
    row = row_of(session.when(reported(at=2, status="new")))
    assert row and (row.status, row.fields) == ("new", {"city": '"Kyiv"'})
    session.refuses("object_change", "", Code.UNCHANGED, **HIS, status="new")


def test_an_object_is_made_by_hand_with_what_is_required() -> None:
    fields = [{"key": "city", "type": "text", "required": True}]
    session = marketplace().do("object_type_define", **SELLER | {"fields": fields})
    message = session.refuses("object_change", "fields.city", Code.REQUIRED, **HIS, title="Oksana's")
    assert message == "'city' must have a value. Nothing was changed."
    session.do("object_change", **HIS, title="Oksana's", fields={"city": '"Lviv"'})
    session.then(an(ObjectChanged, whole=True, version=1, title="Oksana's", deleted=False))
    session.refuses("object_change", "expectedVersion", Code.VERSION_CONFLICT, **HIS, title="x", expected_version=7)


def test_what_does_not_fit_is_refused() -> None:
    session = marketplace()
    message = session.refuses("object_change", "fields.rating", Code.INVALID, **HIS, fields={"rating": '"high"'})
    assert message == "'rating' takes a number. Nothing was changed."
    session.refuses("object_change", "fields.colour", Code.NOT_FOUND, **HIS, fields={"colour": '"red"'})
    session.refuses("object_change", "fields.parent", Code.INVALID, **HIS, fields={"parent": '"42"'})
    session.refuses("object_change", "status", Code.INVALID, **HIS, status="lost")
    session.refuses("object_change", "type", Code.NOT_FOUND, type="product", key="1", title="x")
    session.refuses("object_change", "key", Code.INVALID, type="seller", key=" 1", title="x")


def test_an_object_that_was_taken_away_comes_back_by_hand() -> None:
    session = marketplace().when(reported(status="active", title="Oksana's"))
    session.do("object_remove", **HIS).then(an(ObjectChanged, deleted=True, shown=False, by_hand=True))
    assert row_of(session.when(reported(at=1, status="blocked"))) is None
    session.refuses("object_remove", "key", Code.NOT_FOUND, **HIS)
    session.do("object_change", **HIS, title="Oksana").then(an(ObjectChanged, whole=True, deleted=False))
    row, thing = row_of(session), stored(session)
    assert row and thing and (row.title, row.status, row.version) == ("Oksana", "blocked", thing.version)
