"""Instagram: what people write, and how far our messages came (https://developers.facebook.com/docs/instagram-platform/webhooks)."""

from functools import partial

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Webhook
from services.connectors.meta_activation import AppId, Token
from services.connectors.page_chats import reports_of
from services.connectors.signatures.meta import VerifyToken, answer_challenge, verify_meta


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an app."""

    verify_token: VerifyToken = ""
    app_id: AppId = ""
    token: Token = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    verify_meta(delivery, connection.secret)


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    return answer_challenge(delivery, connection.settings_as(Settings).verify_token)


WEBHOOK = Webhook(verify, partial(reports_of, "instagram", "instagram"), handshake=handshake)
