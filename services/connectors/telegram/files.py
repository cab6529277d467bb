"""Telegram: the file of an id, up to 20 MB, by the bot's token (https://core.telegram.org/bots/api#getfile)."""

from crm.connector_files import Files

FILES = Files(
    needs=("token",),
    look_up="https://api.telegram.org/bot{token}/getFile?file_id={ref}",
    link="result.file_path",
    file="https://api.telegram.org/file/bot{token}/{link}",
)
