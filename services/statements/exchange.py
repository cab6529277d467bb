"""`1CClientBankExchange`, the text in which client-bank programs and bookkeeping exchange statements.

Each document names both sides: which of them is ours says whether money came in or went out.
"""

from collections.abc import Iterator
from datetime import date

from crm.errors import Malformed
from crm.money import to_minor
from services.statements.lines import Assumed, Balance, Line, Reading, Statement, bare, check_balances, same_account
from services.statements.texts import moment_in, with_words

NAME = "1CClientBankExchange"
MARK = b"1CClientBankExchange"
SIDES = {"payer": "Плательщик", "payee": "Получатель"}
TAX_ID = ("ИНН", "ОКПО", "ЄДРПОУ", "ЕДРПОУ")
BEGIN, END, LAST = "СекцияДокумент", "КонецДокумента", "КонецФайла"
BEGIN_ACCOUNT, END_ACCOUNT = "СекцияРасчСчет", "КонецРасчСчет"
CUT = "It does not end as it should (КонецФайла is missing): it was cut. What came before the cut was read."
Section = dict[str, str]


def looks_like(head: bytes) -> bool:
    return MARK in head.replace(b"\0", b"")[:64]


def read(body: bytes, assumed: Assumed) -> Reading:
    reading = Reading(NAME)
    head, accounts, documents, ended = sections(with_words(body), reading)
    own = list(dict.fromkeys(filter(None, (*head, *(one.get("РасчСчет", "") for one in accounts)))))
    if assumed.account and not any(same_account(assumed.account, account) for account in own):
        own.append(assumed.account)
    if not assumed.currency:
        reading.say("The format does not say in which currency it is. Say it with --currency, such as --currency UAH.")
        return reading
    if not own:
        reading.say("It does not say of which account it is (РасчСчет). Say it with --account.")
        return reading
    statements = {account: Statement(account=account, currency=assumed.currency) for account in own}
    for section in accounts:
        add_balances(section, statements, assumed.currency, reading)
    for place, document in documents:
        try:
            add_document(place, document, statements, assumed.currency)
        except Malformed as error:
            reading.say(f"It cannot be read: {error}", place)
    reading.statements = [one for one in statements.values() if one.lines or one.opening]
    for statement in reading.statements:
        check_balances(statement, not reading.problems)
    if not ended:
        reading.say(CUT)
    return reading


def sections(text: str, reading: Reading) -> tuple[list[str], list[Section], list[tuple[int, Section]], bool]:
    """Returns the accounts in its head, its sections on accounts and on documents, and whether its end is there."""
    head: list[str] = []
    accounts: list[Section] = []
    documents: list[tuple[int, Section]] = []
    current: Section | None = None
    place, kind, ended = 0, "", False
    for number, line in enumerate(text.splitlines(), 1):
        name, _, value = line.strip().partition("=")
        name, value = name.strip(), value.strip()
        if name in (BEGIN, BEGIN_ACCOUNT):
            if current is not None:
                reading.say("It was cut: the next section begins before it ends.", place)
            current, place, kind = {}, number, name
        elif name in (END, END_ACCOUNT):
            if current is not None and (kind, name) in ((BEGIN, END), (BEGIN_ACCOUNT, END_ACCOUNT)):
                if kind == BEGIN:
                    documents.append((place, current))
                else:
                    accounts.append(current)
            current = None
        elif name == LAST:
            ended = True
        elif current is not None:
            current.setdefault(name, value)
        elif name == "РасчСчет":
            head.append(value)
    if current is not None:
        reading.say("It was cut: the file ends before it does.", place)
    return head, accounts, documents, ended


def add_balances(section: Section, statements: dict[str, Statement], currency: str, reading: Reading) -> None:
    """Banks write one section for the whole time, or one for each day: the first opens, the last closes."""
    statement = statements.get(section.get("РасчСчет", ""))
    if statement is None:
        return
    try:
        if written := section.get("НачальныйОстаток"):
            balance = Balance(to_minor(written, currency), currency)
            statement.opening = statement.opening or [balance]
        if written := section.get("КонечныйОстаток"):
            statement.closing = [Balance(to_minor(written, currency), currency)]
    except Malformed as error:
        reading.say(f"A balance of account {statement.account} cannot be read: {error}")


def add_document(place: int, document: Section, statements: dict[str, Statement], currency: str) -> None:
    """A transfer between two accounts of the statement is a line of each. Raises Malformed."""
    sides = {side: account_of(document, name) for side, name in SIDES.items()}
    found = [
        (statement, side)
        for side, account in sides.items()
        for statement in statements.values()
        if account and same_account(account, statement.account)
    ]
    if not found:
        raise Malformed("neither its payer nor its payee is an account of this statement.")
    for statement, side in found:
        out = side == "payer"
        other = SIDES["payee" if out else "payer"]
        amount = to_minor(document.get("Сумма", ""), currency)
        if amount < 0:
            raise Malformed(f"a document is of no negative sum: {document['Сумма'][:40]}.")
        statement.lines.append(
            Line(
                place=place,
                day=day_of(document, out),
                amount_minor=-amount if out else amount,
                currency=currency,
                account=statement.account,
                document=document.get("Номер", ""),
                name=name_of(document, other),
                iban=bare(account_of(document, other)),
                tax_id=next((number for end in TAX_ID if (number := document.get(other + end, ""))), ""),
                purpose=purpose_of(document),
            )
        )


def account_of(document: Section, side: str) -> str:
    return document.get(f"{side}Счет") or document.get(f"{side}РасчСчет", "")


def name_of(document: Section, side: str) -> str:
    """`Плательщик1` is the name alone; `Плательщик` may begin with the tax number."""
    return " ".join((document.get(f"{side}1") or document.get(side, "")).split())


def day_of(document: Section, out: bool) -> date:
    """The day on which the bank did it, else that of the document. Raises Malformed."""
    done = document.get("ДатаСписано" if out else "ДатаПоступило") or document.get("Дата", "")
    return moment_in(done)[0]


def purpose_of(document: Section) -> str:
    def numbered() -> Iterator[str]:
        for number in range(1, 7):
            yield document.get(f"НазначениеПлатежа{number}", "")

    return " ".join((document.get("НазначениеПлатежа") or " ".join(numbered())).split())
