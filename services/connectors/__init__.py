"""Every connector by its name: a new one is a file here and a line below."""

from crm.connector import Connector
from services.connectors import binotel, form, liqpay, monobank, monobank_personal, telegram

CONNECTORS: dict[str, Connector] = {
    module.CONNECTOR.name: module.CONNECTOR for module in (form, monobank, monobank_personal, liqpay, binotel, telegram)
}
