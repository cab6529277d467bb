"""Settings: from the environment, named when they are wrong, masked when they are shown."""

import pytest

from crm.settings import Settings


def test_without_an_environment_the_defaults_hold() -> None:
    assert Settings.read({}) == Settings()


def test_a_vendor_is_answered_before_it_gives_up() -> None:
    """Four seconds is the least that one of them waits, and the answer has to travel too."""
    assert Settings().produce_timeout <= 3.0


def test_a_proxy_ends_an_idle_connection_before_we_do() -> None:
    """uvicorn's own 5 s ended connections just when a client that sends every few seconds used them again."""
    assert Settings().keep_alive > 60


def test_each_is_read_in_its_own_kind() -> None:
    environment = {
        "KAFKA_BOOTSTRAP": "kafka:9092",
        "DATABASE_URL": "postgresql://db/potik",
        "CRM_INTAKE_PORT": "9000",
        "CRM_PRODUCE_TIMEOUT": "1.5",
        "CRM_LOG_LEVEL": "debug",
        "CRM_UNKNOWN": "is nobody's",
        "HOST": "is somebody else's",
    }
    assert Settings.read(environment) == Settings(
        kafka_bootstrap="kafka:9092",
        database_url="postgresql://db/potik",
        intake_port=9000,
        produce_timeout=1.5,
        log_level="debug",
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CRM_INTAKE_PORT", "http", "CRM_INTAKE_PORT is 'http'; it takes a whole number."),
        ("CRM_MAX_BODY", "1.5", "CRM_MAX_BODY is '1.5'; it takes a whole number."),
        ("CRM_PRODUCE_TIMEOUT", "", "CRM_PRODUCE_TIMEOUT is ''; it takes a number."),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^CRM_") as refused:
        Settings.read({name: value})
    assert str(refused.value) == said


def test_passwords_are_masked() -> None:
    masked = Settings(database_url="postgresql://crm:s3cr:t@db.example:5432/potik?sslmode=require").masked()
    assert masked["DATABASE_URL"] == "postgresql://crm:***@db.example:5432/potik?sslmode=require"
    assert "s3cr" not in str(masked)


def test_a_key_is_neither_printed_nor_in_a_repr() -> None:
    settings = Settings(secrets_key="hush")
    assert settings.masked()["CRM_SECRETS_KEY"] == "***"
    assert "hush" not in repr(settings) + str(settings.masked())


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://db.example/potik?user=crm&password=s3cr&sslmode=require",
         "postgresql://db.example/potik?user=crm&password=***&sslmode=require"),
        ("host=db.example password='s3 cr' dbname=potik", "host=db.example password=*** dbname=potik"),
    ],
)  # fmt: skip
def test_a_password_is_masked_wherever_it_stands(address: str, shown: str) -> None:
    assert Settings(database_url=address).masked()["DATABASE_URL"] == shown


def test_every_setting_is_shown_under_its_variable() -> None:
    masked = Settings().masked()
    assert masked["KAFKA_BOOTSTRAP"] == "127.0.0.1:9092"
    assert masked["CRM_LOG_LEVEL"] == "info"
    assert "CRM_KAFKA_BOOTSTRAP" not in masked
    assert Settings.read(masked) == Settings()
