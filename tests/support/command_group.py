"""The group of `crm bench` and `crm chaos`: says what to install for a command that needs a tool of the tests."""

from typing import Any

from services.cli.errors import ErrorReportingGroup


class ToolGroup(ErrorReportingGroup):
    """Most commands run with what `make run` has installed; some need more."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            need = f"This needs {error.name}, a tool of the tests, which is not installed. Nothing was started."
            raise SystemExit(f"{need} `./bootstrap.sh` installs all of them.") from None
