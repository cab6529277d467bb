#!/usr/bin/env bash
# A payment from abroad in a bank's camt.053 statement, read with pycamt.
#
# Most people expect: Amount and Currency of a transaction belong together. An account in hryvnias got 4,200.00 UAH, for 100.00 USD
#   that were sent: the amount is 4200.00 with UAH, or 100.00 with USD.
# What happens: Amount is the first one found anywhere within the details, here the sum that was instructed, and Currency is that of
#   the entry: 100.00 UAH. Without details in another currency it is right, and there is no error and no mark where it is not.
# Why it matters: ISO 20022 has InstdAmt for every payment that was exchanged. The sum is off by the rate, forty times here, and the
#   currency looks plausible. Take Amt of Ntry, and a part's own amount only if its Ccy is the entry's.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pycamt==1.1.1
"$dir/venv/bin/python" - <<'PY'
import sys
from importlib.metadata import version
from pycamt.parser import Camt053Parser

def statement(details):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>1</MsgId><CreDtTm>2026-10-01T18:00:00</CreDtTm></GrpHdr>
<Stmt><Id>1</Id><CreDtTm>2026-10-01T18:00:00</CreDtTm>
<Acct><Id><IBAN>UA213052990000026001234567890</IBAN></Id><Ccy>UAH</Ccy></Acct>
<Ntry><Amt Ccy="UAH">4200.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-10-01</Dt></BookgDt>
<BkTxCd/><NtryDtls><TxDtls>{details}</TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>""".encode()

def read(details):
    (found,) = Camt053Parser(statement(details)).get_transactions()
    return found["Amount"], found["Currency"]

print("pycamt", version("pycamt"))
print("4,200.00 UAH came to an account in hryvnias.")
at_home = read("<RmtInf><Ustrd>Invoice 7</Ustrd></RmtInf>")
abroad = read('<AmtDtls><InstdAmt><Amt Ccy="USD">100.00</Amt></InstdAmt></AmtDtls><RmtInf><Ustrd>Invoice 7</Ustrd></RmtInf>')
print("  from Ukraine:", *at_home)
print("  100 USD from abroad:", *abroad)
same = at_home == ("4200.00", "UAH") and abroad == ("100.00", "UAH")
sys.exit(0 if same else f"the behaviour has changed: {at_home} {abroad}")
PY
