"""What a person has of an account at each vendor: settings to connect with, and the key that the vendor knows."""

from typing import NamedTuple

from tests.simulator.accounts import Account, Accounts


class Given(NamedTuple):
    """What `crm connect` is given. `secret`: also as --secret; `account` is the vendor's side."""

    settings: dict[str, str]
    secret: str
    account: Account


def given(accounts: Accounts, vendor: str, number: int, secret: str) -> Given:
    """Opens an account at a vendor. `secret`: what the vendor signs with, where it is the vendor's to choose."""
    token = f"{vendor.replace('-', '_')}_key_of_customer_{number:06}"
    match vendor:
        case "telegram":
            token = f"{100_000 + number}:{token:A<35}"
            return Given({"token": token}, "", accounts.open(vendor, token))
        case "monobank":
            return Given({"token": token}, "", accounts.open(vendor, token, secret))
        case "twilio":
            account, phone = f"AC{number:032x}", f"PN{number:032x}"
            opened = accounts.open(vendor, f"{account}:{secret}", secret)
            return Given({"account_sid": account, "number_sid": phone}, secret, opened)
        case "jotform":
            token = token.replace("_", "-")
            return Given({"token": token, "form": "251234567890"}, "", accounts.open(vendor, token))
        case "typeform":
            token = f"tfp_{token}"
            return Given({"token": token, "form": "Qu1zForm"}, "", accounts.open(vendor, token))
        case "facebook-leads" | "messenger" | "instagram" | "whatsapp":
            app = str(100_000 + number)
            settings = {"app_id": app, "verify_token": "a-verify-token", "token": f"EAAG{token}"}
            if vendor == "whatsapp":
                settings["business_account"] = "1234567890"
            return Given(settings, secret, accounts.open(vendor, app, secret))
        case "viber":
            return Given({"token": secret}, "", accounts.open(vendor, secret, secret))
        case "stripe":
            token = f"rk_live_{token.replace('_', '')}"
            return Given({"token": token}, "", accounts.open(vendor, token, secret))
        case "shopify":
            token = f"shpat_{token.replace('_', '')}"
            settings = {"shop": f"shop-{number}.myshopify.com", "api_token": token}
            return Given(settings, secret, accounts.open(vendor, token, secret))
        case "woocommerce":
            word = token.replace("_", "")
            key = f"ck_{word}:cs_{word}"
            return Given({"shop": "shop.example.com", "api_key": key}, "", accounts.open(vendor, key))
        case "chatwoot":
            settings = {"site": "https://chat.example.com", "account": "1", "token": token}
            return Given(settings, "", accounts.open(vendor, token))
    return Given({"token": token}, "", accounts.open(vendor, token))
