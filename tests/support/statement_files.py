"""Statements of an invented company at invented banks, in each format: what tests read."""

import struct
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZipFile

OURS = "UA213052990000026001234567890"
THEIRS = "UA903220010000026007654321098"
OTHERS = "UA633006140000026005555555555"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"


def mt940(*lines: str, opening: str = "C261001UAH0,00", closing: str = "", account: str = OURS) -> bytes:
    """Returns a message with fields such as ":61:2610011001C10,00NTRFNONREF//B1"."""
    head = (":20:1", f":25:{account}", ":28C:1/1", f":60F:{opening}")
    tail = (f":62F:{closing}", "-") if closing else ("-",)
    return "\r\n".join((*head, *lines, *tail, "")).encode()


def camt(*entries: str, header: str = "", account: str = OURS, namespace: str = NAMESPACE) -> bytes:
    kind = {"052": ("BkToCstmrAcctRpt", "Rpt"), "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}
    message, statement = kind.get(namespace.split("camt.")[1][:3], ("BkToCstmrStmt", "Stmt"))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}"><{message}><GrpHdr><MsgId>1</MsgId>'
        f"</GrpHdr><{statement}><Id>7</Id><Acct><Id><IBAN>{account}</IBAN></Id><Ccy>UAH</Ccy></Acct>{header}"
        + "".join(f"\n{entry}" for entry in entries)
        + f"</{statement}></{message}></Document>"
    ).encode()


def entry(amount: str, direction: str = "CRDT", more: str = "", day: str = "2026-10-01", currency: str = "UAH") -> str:
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt>{more}</Ntry>"
    )


def balance(kind: str, amount: str, currency: str = "UAH") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount}</Amt>'
        "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-10-01</Dt></Dt></Bal>"
    )


def exchange(*documents: str, account: str = OURS, balances: str = "", end: str = "КонецФайла") -> str:
    section = f"СекцияРасчСчет\nРасчСчет={account}\n{balances}КонецРасчСчет\n" if balances else ""
    head = f"1CClientBankExchange\nВерсияФормата=1.02\nКодировка=Windows\nРасчСчет={account}\n{section}"
    return head + "".join(documents) + end


def document(number: str, amount: str, payer: str, payee: str, purpose: str, day: str = "05.10.2026") -> str:
    return (
        f"СекцияДокумент=Платежное поручение\nНомер={number}\nДата={day}\nСумма={amount}\nПлательщикСчет={payer}\n"
        f"Плательщик1=ФОП Ковальчук О. П.\nПлательщикИНН=3012345678\nДатаПоступило={day}\nПолучательСчет={payee}\n"
        f"Получатель=ТОВ Компанія\nПолучательЕДРПОУ=12345678\nНазначениеПлатежа={purpose}\nКонецДокумента\n"
    )


def dbf(fields: Sequence[tuple[str, str, int, int]], records: Sequence[Sequence[str]], charset: str = "cp866") -> bytes:
    """Returns a table of dBase III. `fields`: name, type, width, decimals. A record that begins with * is deleted."""
    size = 1 + sum(width for _, _, width, _ in fields)
    head = struct.pack("<BBBBIHH17xB2x", 3, 126, 10, 6, len(records), 33 + 32 * len(fields), size, 0x26)
    for name, kind, width, decimals in fields:
        head += struct.pack("<11sc4xBB14x", name.encode(charset), kind.encode(), width, decimals)
    body = b""
    for record in records:
        deleted, cells = (b"*", record[1:]) if record[0] == "*" else (b" ", record)
        body += deleted
        for (_, kind, width, _), cell in zip(fields, cells, strict=True):
            given = cell.encode(charset)
            body += given.rjust(width) if kind == "N" else given.ljust(width)
    return head + b"\r" + body + b"\x1a"


def workbook(rows: Sequence[Sequence[str | float | int]]) -> bytes:
    """Returns an Excel workbook with one sheet: numbers stay numbers."""

    def cell(value: str | float | int) -> str:
        if isinstance(value, str):
            safe = value.replace("&", "&amp;").replace("<", "&lt;")
            return f'<c t="inlineStr"><is><t>{safe}</t></is></c>'
        return f"<c><v>{value!r}</v></c>"

    sheet = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="1" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    made = BytesIO()
    with ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()
