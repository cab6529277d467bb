"""Google's OAuth for what works while nobody is there: offline access, and the consent asked for each time, as Google
gives a refresh token with it alone (https://developers.google.com/identity/protocols/oauth2/web-server)."""

from crm.activation.declared import OAuth


def google(*scopes: str, setting: str = "oauth") -> OAuth:
    """`scopes`: as Google names them, without https://www.googleapis.com/auth/. `setting`: see OAuth."""
    return OAuth(
        "https://accounts.google.com/o/oauth2/v2/auth",
        "https://oauth2.googleapis.com/token",
        tuple(f"https://www.googleapis.com/auth/{scope}" for scope in scopes),
        {"access_type": "offline", "prompt": "consent"},
        setting=setting,
    )
