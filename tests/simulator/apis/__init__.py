"""The vendors' APIs, each as its documents say, in one ASGI application: /<connector>/<path of the vendor>."""

from tests.simulator.apis import calls, chats, forms, meta, money, oauth, shops
from tests.simulator.routes import vendor_apis, vendors

__all__ = ["calls", "chats", "forms", "meta", "money", "oauth", "shops", "vendor_apis", "vendors"]
