"""What the columns of a statement are called, in Ukrainian, Russian, English and Polish, and shortly in dBase."""

import re
from collections.abc import Mapping, Sequence

LATIN_LOOKALIKES = str.maketrans("iaceopxy", "іасеорху")  # banks write the Latin i for the Ukrainian one
WORD = re.compile(r"[^\W_]+")

# Fields of a line, and the names of their columns. Of two columns of one field the first that is named here counts.
NAMES: dict[str, str] = {
    "date": "дата операції|дата і час операції|дата та час операції|дата проводки|дата проведення|дата архівування"
    "|дата здійснення операції|дата валютування|дата зарахування|дата документа|дата документу|дата операции|дата"
    "|booking date|operation date|transaction date|date|data operacji|data księgowania|data|dat arc|dat od|data s"
    "|d date|dtpro|dt|date dok|day|data",
    "time": "час операції|час проведення|час|время|time|tim p|tp",
    "amount": "сума у валюті рахунку|сума в валюті рахунку|сума в валюті картки|сума у валюті картки|сума операції|сума"
    "|сума платежу|сумма|amount|kwota|summa|sum|s|suma",
    "debit": "дебет|видаток|видатки|списання|списано|расход|debit|withdrawal|money out|obciążenia|debet|db",
    "credit": "кредит|прихід|надходження|зараховано|приход|поступление|credit|deposit|money in|uznania|kredit|kd",
    "direction": "операція|операция|тип операції|дебет кредит|дк|д к|напрямок|direction|type|operat|dk|fl dk|flag dk"
    "|tip",
    "currency": "валюта рахунку|валюта картки|валюта|код валюти|currency|waluta|kod val|val|ccy|cur id|i va",
    "account": "рахунок клієнта|наш iban|наш рахунок|наш счет|мій рахунок|власний рахунок|рахунок|счет|account"
    "|own account|rachunek|acccli|acc a|count a|kl chk|our acc",
    "other_account": "рахунок кореспондента|рахунок контрагента|iban контрагента|iban кореспондента|счет корреспондента"
    "|счет контрагента|counterparty account|counterparty iban|iban|acccor|acc b|count b|kl chk k",
    "other_name": "найменування кореспондента|назва кореспондента|кореспондент|найменування контрагента"
    "|назва контрагента|контрагент|корреспондент|наименование контрагента|counterparty name|counterparty"
    "|kontrahent|namecor|name b|r name|kl nm k",
    "other_tax_id": "єдрпоу кореспондента|єдрпоу контрагента|код єдрпоу кореспондента|код єдрпоу контрагента"
    "|код контрагента|іпн єдрпоу контрагента|едрпоу корреспондента|counterparty tax id|okpocor|okpo b|kl okp k"
    "|char r zip",
    "from_account": "рахунок платника|рахунок відправника|iban платника|iban відправника|счет плательщика"
    "|debtor account|iban db|rr db|s acount|s account",
    "from_name": "платник|відправник|назва платника|найменування платника|плательщик|debtor|naim d|s name",
    "from_tax_id": "єдрпоу платника|код платника|код єдрпоу платника|окпо плательщика|okpo db|s okpo",
    "to_account": "рахунок отримувача|iban отримувача|счет получателя|creditor account|iban k|rr k|r acount|r account",
    "to_name": "отримувач|назва отримувача|найменування отримувача|получатель|creditor|naim k|r name",
    "to_tax_id": "єдрпоу отримувача|код отримувача|код єдрпоу отримувача|окпо получателя|okpo cr|r okpo",
    "document": "номер документу|номер документа|документ|№ документа|№ документу|№ док|№|document number|document"
    "|ndoc|n doc|n d|nd|doc no|d number",
    "purpose": "призначення платежу|призначення|деталі операції|деталі платежу|опис операції|назначение платежа"
    "|назначение|purpose|payment details|details|description|tytuł|nazn|n p|prizn|comment|direct",
    "bank_reference": "референс операції|референс|номер операції|ідентифікатор операції|id операції|transaction id"
    "|bank reference|reference|ref",
    "bank_reference_part": "refn",
}
ENOUGH = 3  # columns that are known make a row the header
IN_BRACKETS = re.compile(r"\(([^)]*)\)")


def plain(name: str) -> str:
    """Returns a column's name in small letters without marks, with Cyrillic letters where Latin ones look alike."""
    words = " ".join(WORD.findall(IN_BRACKETS.sub(" ", name.replace("№", " nomer ").casefold())))
    return words.translate(LATIN_LOOKALIKES)


KNOWN: dict[str, list[tuple[str, int]]] = {}
for _field, _names in NAMES.items():
    for _rank, _name in enumerate(_names.split("|")):
        KNOWN.setdefault(plain(_name), []).append((_field, _rank))


def fields_of(header: Sequence[str]) -> Mapping[str, int]:
    """Returns the column of each field that the header names; of several, the one whose name says most."""
    found: dict[str, tuple[int, int]] = {}
    for column, name in enumerate(header):
        for field, rank in KNOWN.get(plain(name), ()):
            if field not in found or rank < found[field][0]:
                found[field] = rank, column
    places = {field: column for field, (_, column) in found.items()}
    if len(places.keys() & {"from_account", "to_account"}) < 2:
        for field in [field for field in places if field.startswith(("from_", "to_"))]:
            del places[field]
    if of_account(header, places) and "currency" in places and plain(header[places["currency"]]) == plain("валюта"):
        del places["currency"]  # it is that of the shop, and the sum is in the account's
    return places


def of_account(header: Sequence[str], places: Mapping[str, int]) -> bool:
    """Whether its sums are named as those in the account's currency, as where a card was used abroad."""
    return "amount" in places and bool({"картки", "рахунку"} & set(plain(header[places["amount"]]).split()))


def is_header(fields: Mapping[str, int]) -> bool:
    money = fields.keys() & {"amount", "debit", "credit"}
    return len(fields) >= ENOUGH and "date" in fields and bool(money)


def currency_in(header: str) -> str:
    """Returns what stands in brackets after the name of a column of sums: `Сума в валюті картки (UAH)`."""
    found = IN_BRACKETS.search(header)
    return found[1].strip() if found else ""
