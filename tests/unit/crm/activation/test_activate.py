"""Every vendor that can be activated: its key is checked, its webhook is set, seen to, and taken away."""

import asyncio
from dataclasses import replace

import pytest

from crm.activation.activate import Vendor
from crm.activation.declared import Activation
from crm.activation.outcome import Activated, check_key, set_webhook
from crm.connector_catalogue import catalogue
from crm.connector_settings import check_settings
from tests.simulator.in_process import URL, InProcess
from tests.simulator.keys import Given, given

ACTIVATED = {name: entry.activation for name in catalogue() if (entry := catalogue()[name]).activation}
WITH_API = [name for name, declared in ACTIVATED.items() if declared.register]
SECRET = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"


class Customer:
    """A person with an account at a simulated vendor, and the connection that they make."""

    def __init__(self, name: str) -> None:
        self.name, self.http = name, InProcess()
        self.declared: Activation = ACTIVATED[name]
        self.given: Given = given(self.http.accounts, name, 1, SECRET)
        self.values = {**self.given.settings, "secret": self.given.secret, "url": URL, "connection": "c-1"}

    def connect(self) -> Activated:
        checked = asyncio.run(check_key(self.name, self.declared, self.given.settings, self.given.secret, self.http))
        assert checked
        self.values["secret"] = checked.secret
        return self.set(replaced=True, account=checked.account)

    def set(self, replaced: bool = False, account: str = "") -> Activated:
        setting = set_webhook(self.name, self.declared, self.values, self.http, account=account, replaced=replaced)
        activated = asyncio.run(setting)
        self.values["secret"] = activated.secret or self.values["secret"]
        return activated


@pytest.mark.parametrize("name", ACTIVATED)
def test_a_key_of_the_vendor_connects(name: str) -> None:
    """What a person has fits the settings; the vendor then has the URL, and the secret that the connection has."""
    entry, customer = catalogue()[name], Customer(name)
    check_settings(name, entry.settings, customer.given.settings)
    assert bool(customer.given.secret) or not entry.needs_secret or entry.gets_secret(customer.given.settings)
    activated = customer.connect()
    assert activated.active, activated
    assert {hook.url for hook in customer.given.account.hooks} == ({URL} if name in WITH_API else set())
    for hook in customer.given.account.hooks:
        assert hook.on and hook.secret in ("", customer.values["secret"])
    assert activated.done or activated.next.count(URL) == 1
    assert customer.http.accounts.unmatched == []


def test_spaces_and_lines_around_a_pasted_key_do_no_harm() -> None:
    customer = Customer("stripe")
    customer.given.settings["token"] = f" {customer.given.settings['token']}\n"
    customer.values |= customer.given.settings
    assert customer.connect().active


@pytest.mark.parametrize("name", WITH_API)
def test_what_is_set_is_left_alone(name: str) -> None:
    customer = Customer(name)
    customer.connect()
    hooks = [replace(hook) for hook in customer.given.account.hooks]
    again = customer.set()
    assert (again.active, again.done) == (True, ()) and customer.given.account.hooks == hooks


@pytest.mark.parametrize("name", WITH_API)
def test_what_the_vendor_switched_off_is_set_again_with_the_same_secret(name: str) -> None:
    customer = Customer(name)
    customer.connect()
    hooks = customer.given.account.hooks
    before = [(hook.url, hook.secret, hook.topic) for hook in hooks]
    for hook in hooks:
        hook.on = False
    again = customer.set()
    assert again.active and len(again.done) == len(before)
    assert [(hook.url, hook.secret, hook.topic) for hook in customer.given.account.hooks if hook.on] == before


@pytest.mark.parametrize("name", WITH_API)
def test_only_our_webhook_is_taken_away(name: str) -> None:
    customer = Customer(name)
    if customer.declared.unregister is None:
        return
    customer.connect()
    listed = customer.declared.webhooks and customer.declared.webhooks.listed
    if listed:
        customer.given.account.set("https://another.example.com", replace=False)
    done = asyncio.run(Vendor(name, customer.declared, customer.values, customer.http).unregister())
    assert done == [f"The webhook was taken away at {name}."]
    assert [hook.url for hook in customer.given.account.hooks] == (["https://another.example.com"] if listed else [])


@pytest.mark.parametrize("name", ACTIVATED)
def test_a_key_that_the_vendor_does_not_know_is_refused(name: str) -> None:
    customer = Customer(name)
    wrong = {key: f"{text}0" for key, text in customer.given.settings.items()}
    if "token" in wrong:
        wrong["token"] = wrong["token"].replace("EAAG", "AAAA")
    with pytest.raises(
        ValueError, match=rf"^{name} refused it.*Check what was given as .*Nothing was changed\.$"
    ) as why:
        asyncio.run(check_key(name, customer.declared, wrong, customer.given.secret, customer.http))
    assert not any(text in str(why.value) for text in wrong.values())


TROUBLES = {
    "500": "cannot take it now \\(HTTP 500",
    "429": "cannot take it now \\(HTTP 429.*It asks to wait 30 s",
    "html": "answered HTTP 200 and no JSON",
    "redirect": "answered with a redirect",
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", ACTIVATED)
def test_a_vendor_in_trouble_changes_nothing_and_is_tried_again(name: str, trouble: str) -> None:
    customer = Customer(name)
    customer.http.accounts.trouble[name] = trouble
    with pytest.raises(ValueError, match=TROUBLES[trouble]) as why:
        customer.connect()
    assert str(why.value).endswith("Nothing was changed. Try again.")
    if name in WITH_API:
        customer.http.accounts.trouble.clear()
        customer.connect()
        customer.http.accounts.trouble[name] = trouble
        later = customer.set()
        assert not later.active and "`crm connect --check`" in later.next


@pytest.mark.parametrize("name", WITH_API)
def test_an_address_that_the_vendor_cannot_call_is_not_given_to_it(name: str) -> None:
    customer = Customer(name)
    for url in ("http://127.0.0.1:8080/in/1", "http://crm.example.com/in/1", "https://192.168.1.4/in/1"):
        customer.values["url"] = url
        activated = customer.connect()
        assert not activated.active and "CRM_PUBLIC_URL" in activated.next and activated.done == ()
    assert customer.given.account.hooks == []


def test_a_vendor_that_cannot_call_us_is_polled_where_it_can_be() -> None:
    customer = Customer("monobank-personal")
    customer.values["url"] = "http://127.0.0.1:8080/in/1"
    setting = set_webhook(customer.name, customer.declared, customer.values, customer.http, polls=True)
    activated = asyncio.run(setting)
    assert activated.active and activated.done[0].endswith("So monobank-personal is asked for what is new instead.")
    assert customer.given.account.hooks == []


def test_another_port_than_the_vendor_calls_is_said() -> None:
    customer = Customer("telegram")
    customer.values["url"] = "https://crm.example.com:9000/in/1"
    activated = customer.connect()
    assert not activated.active
    assert activated.next.startswith("The vendor calls the ports 443, 80, 88, 8443 alone.")


def test_an_address_that_answers_wrong_is_said_in_the_vendors_words() -> None:
    customer = Customer("monobank-personal")
    customer.http.visit_status = 404
    activated = customer.connect()
    assert not activated.active and "Webhook must answer 200" in activated.next
    assert "`crm connect --check` sets the webhook." in activated.next


def test_what_failed_last_is_said_in_the_vendors_words() -> None:
    customer = Customer("telegram")
    customer.connect()
    assert customer.given.account.hook
    customer.given.account.hook.error = "Wrong response from the webhook: 502 Bad Gateway"
    said = "telegram says of its last failed delivery: Wrong response from the webhook: 502 Bad Gateway"
    assert customer.set().done == (said,)


def test_another_key_of_the_bank_comes_into_the_connection() -> None:
    customer = Customer("monobank")
    customer.connect()
    assert (customer.values["secret"], customer.set().secret) == (SECRET, "")
    customer.given.account.secret = "another key"
    assert customer.set().secret == "another key"


def test_a_planted_route_is_missed() -> None:
    """The simulator notes a request that no vendor has a route for."""
    customer = Customer("telegram")
    customer.declared = replaced_check(customer.declared, "/bot{token}/getYou")
    with pytest.raises(ValueError, match="telegram refused it"):
        customer.connect()
    assert customer.http.accounts.unmatched == [f"GET /telegram/bot{customer.given.settings['token']}/getYou"]


def replaced_check(declared: Activation, path: str) -> Activation:
    from msgspec.structs import replace as with_field

    return with_field(declared, check=with_field(declared.check, path=path))
