"""The keys of an installation that `crm` commands work on: of the environment, else of the data folder."""

from pathlib import Path

from crm.secret_keys import SecretKeys, new_key, parse
from crm.settings import Settings
from services.stack.files import replace_file
from services.stack.state import data_folder

NAME = "secrets.key"


def key_file(data: Path | None = None, settings: Settings | None = None) -> Path | None:
    """Returns the file of keys; None when the keys are in CRM_SECRETS_KEY."""
    settings = settings or Settings.read()
    if settings.secrets_key.strip():
        return None
    given = settings.secrets_key_file
    return Path(given).expanduser() if given else (data or data_folder()).absolute() / NAME


def secret_keys(data: Path | None = None, settings: Settings | None = None) -> SecretKeys:
    """Returns the keys; there may be none yet."""
    settings = settings or Settings.read()
    return SecretKeys.of(settings, key_file(data, settings))


def ensure_key(data: Path | None = None, settings: Settings | None = None) -> SecretKeys:
    """Makes a file with a first key, which only its owner can read, where there are no keys yet. Returns the keys."""
    file = key_file(data, settings)
    if file and not file.exists():
        write(file, new_key())
    return secret_keys(data, settings)


def put_first(file: Path, key: str) -> None:
    """Puts a new key before the others: running processes encrypt with it from now on, and decrypt with all."""
    others = file.read_text("ascii").split()
    parse(" ".join(others), str(file))
    write(file, key, *others)


def write(file: Path, *keys: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, "".join(f"{key}\n" for key in keys).encode(), 0o600)
