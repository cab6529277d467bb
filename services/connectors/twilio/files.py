"""Twilio: recordings, also where the account asks for a log-in (https://www.twilio.com/docs/voice/api/recording)."""

from crm.connector_files import Files

FILES = Files(
    needs=("account_sid", "secret"),
    headers={"authorization": "Basic {account_sid}:{secret}"},
    with_key=("https://api.twilio.com/2010-04-01/Accounts/{account_sid}/Recordings/",),
)
