"""What the words of a payment say: a number is a deal's, or may be an order's, or is some other thing's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.decisions.names import Likeness, likeness
from crm.decisions.purpose import Words, number_of, read
from crm.state.references import reference_of


@pytest.mark.parametrize(
    ("purpose", "numbers"),
    [
        ("Оплата за угоду 7", (7,)),
        ("угода №7", (7,)),
        ("угода N7", (7,)),
        ("оплата по угоді №7", (7,)),
        ("угода 7 Коваль Олена", (7,)),
        ("D-7", (7,)),
        ("D7", (7,)),
        ("D—7", (7,)),
        ("Д – 7", (7,)),
        ("D #7", (7,)),
        ("D-007", (7,)),
        ("оплата Д-7 від Коваль", (7,)),
        ("deal 7", (7,)),
        ("Deal: D-7", (7,)),
        ("Угода номер 7", (7,)),
        ("оплата_D-7_Коваль", (7,)),
        ("D-7/аванс", (7,)),
        ("рахунок №5, D-7", (7,)),
        ("D7 D8", (7, 8)),
        ("D7/D8", (7, 8)),
        ("D7 та D8", (7, 8)),
        ("D-7-D-8", (7, 8)),
        ("D-7 & D-8", (7, 8)),
        ("угоди №7 №8", (7, 8)),
        ("D_7", (7,)),
        ("оплата_D_7_Коваль", (7,)),
        ("угода ном. 7", (7,)),
        ("ФОП Коваль/D-7", (7,)),
        ("Оплата-D-7", (7,)),
        ("12,D-7", (7,)),
        ("07.12.2026/D-7", (7,)),
        ("без ПДВ/D-7", (7,)),
        ("Коваль 7-Б клас D-8", (8,)),
        ("deal_id=7", (7,)),
        ("договір 12/D-7", ()),
        ("дог. №15/Д-7 від 01.12.26", ()),
        ("2026-D-7", ()),
        ("рах. СФ/Д-7", ()),
        ("R&D-7", ()),
        ("А.Д-7", ()),
        ("столик D-7", ()),
        ("оренда боксу D-7", ()),
        ("група Д-7", ()),
        ("поліс D-7", ()),
        ("угода 7 числа", ()),
        ("угода 7 років", ()),
        ("D-7/А", ()),
        ("додаткова угода №7", ()),
        ("договір-угода 7", ()),
        ("поз. D-7", ()),
        ("угоди 7 та 8", (7, 8)),
        ("угоди 7, 8 і 9", (7, 8, 9)),
        ("D-7, D-8", (7, 8)),
        ("D-7, 2 000 із 12 000", (7,)),
        ("D-7 1/3", (7,)),
        ("за дог. № 7/2 від 1.1.26, D-9", (9,)),
        ("тел. 0501112233, угода 7", (7,)),
        ("акт" + "а" * 900 + " D-7", (7,)),
        ("Від: Бондар К.\nD-7", (7,)),
        ("Від: Клініка, кабінет\nД7", (7,)),
        ("Від: R&\nD-7", (7,)),
        ("кабінет Д7", ()),
        ("ID-7", ()),
        ("D-7-b", ()),
        ("D-7/2", ()),
        ("місце D-7", ()),
        ("вітамін D-3", ()),
        ("корпус D7", ()),
        ("угода 12 500 грн", ()),
        ("угода 500 грн", ()),
        ("замовлення №7", ()),
        ("7", ()),
        ("", ()),
    ],
)
def test_it_names_deals(purpose: str, numbers: tuple[int, ...]) -> None:
    assert read(purpose).deals == numbers


@pytest.mark.parametrize(
    ("purpose", "orders"),
    [
        ("Замовлення 7.", ("7",)),
        ("замовлення N7", ("7",)),
        ("замовлення №7від 03.11.2026", ("7",)),
        ("замовл. 7", ("7",)),
        ("замовлення №007, дякую", ("007",)),
        ("замовлення за номером 7", ("7",)),
        ("замовлення «7»", ("7",)),
        ("замовлення 7 Коваль Олена", ("7",)),
        ("замовлення №7 200 грн", ("7",)),
        ("№ замовлення 7", ("7",)),
        ("За рахунком №7 від 01.02.2026", ("7",)),
        ("зг. рах. 7", ("7",)),
        ("р/ф 7 від 02.11.26", ("7",)),
        ("рахунку-фактури № 7", ("7",)),
        ("СФ-0000012 від 1.11", ("0000012",)),
        ("по счету 7 за двери", ("7",)),
        ("інвойс 7", ("7",)),
        ("INV-00012", ("00012",)),
        ("order #7", ("7",)),
        ("Payment for order no 7, thank you", ("7",)),
        ("Zapłata za fakturę nr 7", ("7",)),
        ("Faktura VAT nr 7", ("7",)),
        ("Bestellnummer 7", ("7",)),
        ("Order ID: 7", ("7",)),
        ("рахунок-договір №7", ("7",)),
        ("рах.№7вiд20.11.2026", ("7",)),
        ("N 7", ("7",)),
        ("накладна Д-7", ("7",)),
        ("школа N 7", ()),
        ("поповнення рахунку №7", ()),
        ("payment order No 7", ()),
        ("SVWZ+Rechnung Nr. 7 vom 12.11.2026", ("7",)),
        ("№7", ("7",)),
        ("оплата №7", ("7",)),
        ("№ 7 за штори", ("7",)),
        ("замовлення №7, №8", ("7", "8")),
        ("Рахунок на штори №7", ("7",)),
        ("вітрина D7", ("7",)),
        ("оплата D 7", ("7",)),
        ("батарейки D 7 шт", ()),
        ("буд. д 7 кв 8", ()),
        ("D-7/2", ("7",)),
        ("угода 12 500 грн", ("12",)),
        ("оплата 7", ()),
        ("no 7", ()),
        ("замовлення 500 грн", ()),
        ("замовлення 202,00", ()),
        ("замовлення 12:30", ()),
        ("замовлення 2й етап", ()),
        ("замовлення 2 вікон", ()),
        ("ЗАМОВЛЕННЯ 2 ВІКНА", ()),
        ("замовлення 12 листопада", ()),
        ("замовлення 38 067 000 17 42", ()),
        ("рахунок 30% аванс", ()),
        ("рахунок 26007233566001", ()),
        ("з рахунку 7", ()),
        ("на рахунок 7", ()),
        ("ос. рахунок 7", ()),
        ("договір №7", ()),
        ("школа №7", ()),
        ("Від: Ліцей\n№7", ("7",)),
        ("Від: Бондар К.\n№7", ("7",)),
        ("Дякую за замовлення\n№7", ("7",)),
        ("за оплату по місяцях\nшкола №7", ()),
        ("Замовлення, доставка НП №7", ()),
        ("Замовлення у відділення №7", ()),
        ("" + " ".join(f"№{n}" for n in range(30)), ()),
    ],
)
def test_it_may_name_orders(purpose: str, orders: tuple[str, ...]) -> None:
    assert read(purpose).orders == orders


@pytest.mark.parametrize(
    ("purpose", "references"),
    [
        ("Замовлення WC-10045.", ("WC10045",)),
        ("замовлення wc 10045", ("WC10045",)),
        ("Сплата зг. рах. 2026/00123 від 10.11.2026", ("2026/00123",)),
        ("Przelew za fakturę FV/11/0042/2026", ("FV/11/0042/2026",)),
        ("SVWZ+RF38 4177 0026 3518", ("RF38417700263518",)),
        ("EREF+RE-2026-0417 SVWZ+Danke", ("RE2026-0417",)),
        ("За замовлення №12-345", ("12-345",)),
        ("Харчування 3-Б, 12.11.2026, D-12", ()),
    ],
)
def test_it_may_quote_references(purpose: str, references: tuple[str, ...]) -> None:
    assert read(purpose).references == references


@given(st.integers(0, 99_999), st.sampled_from("/\\&-–"), st.sampled_from("DdДд"), st.integers(1, 999))
def test_the_end_of_a_longer_number_is_no_deal(contract: int, sign: str, letter: str, number: int) -> None:
    """The bug: a contract 15/Д-7 was D-7, and its money went to a stranger's deal."""
    assert read(f"дог. {contract}{sign}{letter}-{number}").deals == ()


@given(
    st.lists(st.integers(1, 999), min_size=1, max_size=5, unique=True), st.sampled_from([" ", "/", ", ", "; ", " та "])
)
def test_every_deal_of_a_list_is_named(numbers: list[int], between: str) -> None:
    """The bug: "D7 D8" named D-7 alone, which got the money of both."""
    wanted = tuple(sorted(numbers))
    assert read(between.join(f"D{n}" for n in numbers)).deals == wanted
    assert read(between.join(f"D-{n}" for n in numbers)).deals == wanted


def test_a_number_belongs_to_the_word_before_it() -> None:
    assert read("Опалення, буд. №7 кв.8").others == ("буд 7", "кв 8")
    assert read("місце D-7").others == ("місце d-7",)


@pytest.mark.parametrize(
    ("purpose", "listed"),
    [
        ("замовлення 7 і 8", {"7", "8"}),
        ("рахунки №7, №8 та №9", {"7", "8", "9"}),
        ("замовлення 7 і замовлення 8", {"7", "8"}),
        ("рах 7 + рах 8", {"7", "8"}),
        ("рахунок 7, замовлення 8", set()),
        ("дог. 7, рах. 8", set()),
        ("замовлення 7", set()),
    ],
)
def test_which_orders_are_in_one_list(purpose: str, listed: set[str]) -> None:
    assert read(purpose).listed == listed


@pytest.mark.parametrize(
    ("purpose", "kind"),
    [
        ("Повернення коштів за замовлення №7", "повернення"),
        ("Переказ власних коштів", "власних коштів"),
        ("STRIPE PAYOUT #7", "payout"),
        ("Помилковий платіж, D-7", "помилковий платіж"),
        ("Чарджбек D-7", "чарджбек"),
        ("Зарплата за листопад", "зарплата"),
        ("Оплата за interesting book", ""),
        ("Оплата", ""),
    ],
)
def test_what_is_no_customers_money(purpose: str, kind: str) -> None:
    assert read(purpose).not_a_customers == kind


def test_words_without_numbers_say_nothing() -> None:
    assert read("Оплата за штори") == Words() == read("")


@pytest.mark.parametrize(
    ("reference", "number"),
    [("D-7", 7), (" д-7 ", 7), ("D—7", 7), ("D7", 7), ("7", None), ("D-7-b", None), ("", None)],
)
def test_a_reference_may_be_the_deals_own_number(reference: str, number: int | None) -> None:
    assert number_of(reference) == number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WC-10045", "wc 10045"),
        ("№1001", "1001"),
        ("RF38 4177", "rf384177"),
        ("АВ–12", "AB-12"),
        ("INV-2026/17", "INV2026/17"),
    ],
)
def test_a_reference_is_the_same_however_it_is_typed(one: str, other: str) -> None:
    assert reference_of(one) == reference_of(other)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("ФОП ЛЕВЧЕНКО М.О.", "Марта Левченко", Likeness.SAME),
        ("LEVCHENKO MARTA", "Левченко Марта Олегівна", Likeness.SAME),
        ("VIVCHAR KHRYSTYNA", "Христина Вівчар", Likeness.SAME),
        ("Grytsenko Bogdan", "Гриценко Богдан", Likeness.SAME),
        ("Julia Shevchenko", "Юлія Шевченко", Likeness.SAME),
        ("Чорна І.", "Іванна Чорна", Likeness.SAME),
        ("ТОВАРИСТВО З ОБМЕЖЕНОЮ ВІДПОВІДАЛЬНІСТЮ «ЗЕЛЕНИЙ ЛАН»", "ТОВ «Зелений Лан»", Likeness.SAME),
        ("Вовчук Юлія", "Ігор Вовчук", Likeness.PART),
        ("Олена Коваль", "Олена Коваленко", Likeness.PART),
        ("Шпак", "Надія Шпак", Likeness.UNKNOWN),
        ("", "Надія Шпак", Likeness.UNKNOWN),
        ("П. Л.", "Петро Лозовий", Likeness.UNKNOWN),
        ("Голуб Степан", "Зоряна Мельничук", Likeness.OTHER),
        ("ТОВ «ФК ШВИДКА ГРИВНЯ»", "Віра Заяць", Likeness.OTHER),
    ],
)
def test_two_names(one: str, other: str, alike: Likeness) -> None:
    assert likeness(one, other) is likeness(other, one) is alike
