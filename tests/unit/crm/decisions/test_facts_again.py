"""Deduplication: a second click is nothing, and the same enquiry later is noted on its open deal."""

from msgspec.structs import replace

from crm.events import DealAssigned, DealOpened, DeliveryNoted, EnquiryRepeated, IdentifierAdded
from crm.shared import Phone
from tests.support.scenarios import MINUTE, NOON, an, form, given

OLEH, NEW = "+380501112233", "+380671112233"
HOUR = 60 * MINUTE
SESSION = {"message": '"Потрібна консультація"'}


def test_the_same_enquiry_hours_later_is_noted_on_the_open_deal() -> None:
    """A second salesperson got a second deal."""
    story = given(form("1", phones=[OLEH], form="Callback", name="Олег", fields=SESSION))
    deal = story.deal(1)
    story.when(form("2", NOON + 5 * HOUR, phones=[OLEH], form="Callback", name="Oleh", fields=SESSION)).then(
        an(EnquiryRepeated, contact_id=deal.contact_id, deal_id=deal.deal_id, form="Callback", name="Oleh",
           text="message: Потрібна консультація"),
    )  # fmt: skip
    story.when(form("3", NOON + 5 * HOUR + MINUTE, phones=[OLEH], form="Callback", fields=SESSION)).then(
        an(DeliveryNoted)
    )
    assert story.deal(1).version == deal.version + 1


def test_when_its_deal_is_over_it_is_a_new_wish() -> None:
    story = given(form("1", phones=[OLEH], form="Callback")).moved(1, "lost")
    story.when(form("2", NOON + MINUTE, phones=[OLEH], form="Callback")).then(an(DeliveryNoted))
    story.when(form("3", NOON + HOUR, phones=[OLEH], form="Callback")).then(an(DealOpened, number=2), an(DealAssigned))


def test_after_days_it_is_a_new_wish_of_the_same_owners() -> None:
    """Coffee is ordered with the same words each week."""
    story = given(form("1", phones=[OLEH], fields=SESSION)).when(
        form("2", NOON + 71 * HOUR, phones=[OLEH], fields=SESSION)
    )
    assert [type(event) for event in story.events] == [EnquiryRepeated]
    story.when(form("3", NOON + 142 * HOUR, phones=[OLEH], fields=SESSION))
    assert [type(event) for event in story.events] == [EnquiryRepeated], "counted from the last one"
    story.when(form("4", NOON + 214 * HOUR, phones=[OLEH], fields=SESSION)).then(an(DealOpened), an(DealAssigned))


def test_another_product_or_page_is_another_wish() -> None:
    story = given(form("1", phones=[OLEH], page="https://m.ua/shafa?utm_source=x", fields={"product": '"Шафа"'}))
    story.when(form("2", NOON + HOUR, phones=[OLEH], page="https://m.ua/shafa?gclid=1", fields={"product": '"Шафа"'}))
    assert [type(event) for event in story.events] == [EnquiryRepeated]
    story.when(form("3", phones=[OLEH], page="https://m.ua/stil", fields={"product": '"Шафа"'}))
    story.when(form("4", phones=[OLEH], page="https://m.ua/shafa", fields={"product": '"Стіл"'}))
    assert len(story.every(DealOpened)) == 3


def test_what_pages_fill_in_differently_is_no_other_wish() -> None:
    """Of facts that a program sends: connectors tell a digest of their own."""
    clocks = [{"g-recaptcha-response": f'"{n}"', "_wpnonce": f'"{n}"', "timestamp": str(n)} for n in range(2)]
    one, two = (form(str(n), phones=[OLEH], fields={**SESSION, **clock}) for n, clock in enumerate(clocks))
    given(one).when(two).then(an(DeliveryNoted))
    given(one).when(form("3", phones=[OLEH], fields={**SESSION, "time": '"18:00"'})).then(
        an(DealOpened), an(DealAssigned)
    )


def test_a_digest_that_a_connector_tells_decides() -> None:
    first = form("1", phones=[OLEH], fields=SESSION, digest="a")
    given(first).when(form("2", phones=[OLEH], fields={"other": "1"}, digest="a")).then(an(DeliveryNoted))
    given(first).when(form("2", phones=[OLEH], fields=SESSION, digest="b")).then(an(DealOpened), an(DealAssigned))


def test_a_repeat_that_tells_a_new_number_is_learnt_and_seen() -> None:
    cut = replace(form("1", emails=("l@ua.net",), name="Лілея"), phones=(Phone("067 111 22 3", ""),))
    story = (
        given(cut)
        .when(form("2", NOON + 1, phones=[NEW], emails=("l@ua.net",), name="Лілея"))
        .then(an(IdentifierAdded, kind="phone", value=NEW), an(EnquiryRepeated, name="Лілея"))
    )
    assert story.contacts()[0].identifiers == ("email:l@ua.net", f"phone:{NEW}")


def test_another_name_on_the_same_number_is_not_the_same_persons_enquiry() -> None:
    story = given(form("1", phones=[OLEH], name="Микола Явір")).when(form("2", phones=[OLEH], name="Ольга Явір"))
    story.then(an(DealOpened, title="Ольга Явір"), an(DealAssigned))


def test_a_click_that_crosses_ten_minutes_is_one_also_when_nothing_tells_who_it_is() -> None:
    """The connector's key is of the ten minutes in which a form came: 9:59:59 and 10:00:01 were two leads."""
    short = (Phone("067 11-22", ""),)
    first, second = (replace(form(n, at, name="Ім'я"), phones=short) for n, at in (("1", NOON), ("2", NOON + MINUTE)))
    story = given(first).when(second).then(an(DeliveryNoted))
    assert len(story.contacts()) == 1
    later = replace(form("3", NOON + 11 * MINUTE, name="Ім'я"), phones=short)
    story.when(later)
    assert len(story.every(DealOpened)) == 2
    other = replace(form("4", NOON, name="Ім'я"), phones=(Phone("067 11-23", ""),))
    assert len(story.when(other).every(DealOpened)) == 3


def test_a_robots_form_never_hides_a_persons() -> None:
    robot = form("1", phones=[OLEH], fields=SESSION, suspicious="the hidden field was filled in")
    given(robot).when(form("2", NOON + HOUR, phones=[OLEH], fields=SESSION)).then(an(DealOpened), an(DealAssigned))
