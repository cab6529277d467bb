"""Every sample of the vendors is received as its vendor would send it, twice, and has exactly one effect."""

from crm.envelope import Fact
from crm.facts import DeliveryQuarantined
from crm.scalars import Micros
from tests.support.connector_deliveries import NOW, only, receive
from tests.support.vendor_samples import Sample, needs_samples, sample, samples

# WPForms signs the time of its one sample.
SIGNED_AT = {"wpforms/json.http.txt": Micros(1_791_158_447_000_000)}


def facts_of(found: Sample) -> list[Fact]:
    return list(receive(found.connection, found.post, SIGNED_AT.get(found.name, NOW)))


@needs_samples
def test_every_sample_is_understood_and_twice_is_once() -> None:
    found = list(samples())
    for one in found:
        first, second = facts_of(one), facts_of(one)
        assert [fact.meta.id for fact in first] == [fact.meta.id for fact in second], one.name
        assert [fact for fact in first if isinstance(fact, DeliveryQuarantined)] == [], one.name
        assert first, one.name
    print(f"{len(found)} samples of {len({one.name.split('/')[0] for one in found})} vendors were received twice")
    assert len(found) >= 36


@needs_samples
def test_no_two_samples_are_taken_for_one_another() -> None:
    ids = [(fact.meta.id, one.name) for one in samples() for fact in facts_of(one)]
    # One call is saved twice: as it came, and decoded.
    assert len({id for id, name in ids if "decoded" not in name or "binotel" not in name}) == len(ids) - 1


@needs_samples
def test_a_tilda_cart_in_either_wire_form() -> None:
    text = only(*sample("tilda/cart_payment_json_string.http.txt")[1:])
    assert (text.form, text.name, text.emails) == ("form209247407", "ТЕСТ", ())  # nobody's address
    assert text.fields["Email"] == '"test@example.com"'
    assert (text.amount_minor, text.currency, text.reference) == (139_900, "UAH", "1132944846")
    assert [phone.e164 for phone in text.phones] == ["+380630000067"]
    assert text.utm == {"source": "google"}
    brackets = only(*sample("tilda/cart_payment_bracketed.http.txt")[1:])
    assert (brackets.amount_minor, brackets.reference, brackets.name) == (2_445_000, "1557604691", "")
    assert brackets.fields["payment.products.1.name"] == '"Nanopresso Patrol Orange"'


@needs_samples
def test_elementor_names_its_fields_by_their_ids() -> None:
    fact = only(*sample("elementor/advanced_full.http.txt")[1:])
    assert (fact.form, fact.name, fact.emails) == ("c1d6fde", "Teste", ("teste@example.com",))
    assert fact.page == "https://site.example/checkout/"
    assert [(phone.text, phone.e164) for phone in fact.phones] == [("(85) 90000-0383", "")]


@needs_samples
def test_contact_form_7_keeps_its_lists() -> None:
    fact = only(*sample("cf7/cf7_to_webhook.http.txt")[1:])
    assert (fact.name, fact.emails, fact.phones[0].e164) == ("Тест Тестенко", (), "+380670000001")
    assert fact.fields["menu-services"] == '["Доставка","Монтаж"]'


@needs_samples
def test_a_typeform_answer_keeps_its_type() -> None:
    fact = only(*sample("typeform/form_response.json")[1:])
    assert (fact.form, fact.name, fact.emails) == ("lT4Z3j", "Laura", ("laura@example.com",))
    assert fact.fields["readable_ref_picture_choice"] == '["London","Sydney"]'
    assert (fact.fields["readable_ref_legal"], fact.fields["readable_ref_number1"]) == ("true", "5")


@needs_samples
def test_jotform_and_gravity_put_names_together_from_their_parts() -> None:
    assert only(*sample("jotform/response.multipart.http.txt")[1:]).name == "Niloth P"
    assert only(*sample("gravity-forms/entry.json")[1:]).name == "Jane Doe"


@needs_samples
def test_a_captured_binotel_call() -> None:
    fact = only(*sample("binotel/apiCallCompleted_inbound.http.txt")[1:])
    assert (fact.call, fact.phase, fact.direction, fact.phone.e164) == ("612107649", "completed", "in", "+380670000083")
    assert (fact.line, fact.employee) == ("0670000093", "operator1@example.com")
    assert (fact.started_at, fact.wait_s, fact.talk_s) == (1_526_638_835_000_000, 0, 122)
    assert (fact.disposition, fact.utm) == ("answered", {"source": "google", "medium": "organic"})


@needs_samples
def test_a_monobank_statement_line_tells_who_was_paid() -> None:
    fact = only(*sample("monobank-personal/statement_item_doc_example.json")[1:])
    assert (fact.amount_minor, fact.currency, fact.status) == (-95_000, "UAH", "settled")
    assert (fact.purpose, fact.payer.tax_id) == ("Покупка щастя\nЗа каву", "3096889974")
    assert fact.changed_at == 1_554_466_347_000_001


@needs_samples
def test_liqpays_floats_are_read_to_the_kopeck() -> None:
    fact = only(*sample("liqpay/callback_sandbox_pay_decoded.json")[1:])
    assert (fact.amount_minor, fact.currency, fact.status) == (21_000, "UAH", "settled")


@needs_samples
def test_a_contact_without_a_user_is_not_the_senders_own() -> None:
    fact = only(*sample("telegram/message_contact_group_captured.json")[1:])
    assert (fact.shared_phone.text, fact.shared_is_own, fact.chat_kind) == ("0800000345", False, "group")
    assert (fact.chat, fact.sender) == ("-1001319789908", "500000977")
