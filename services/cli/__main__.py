"""`python -m services.cli` is `crm`."""

from services.cli import app

app(prog_name="crm")
