"""The commands, gathered. A command's module is imported when the command is called for."""

import importlib
from pathlib import Path

import click

from cuemark.app.cli.failure import sentences
from cuemark.app.folder import DataFolder

DEFAULT_FOLDER = "./data"

COMMANDS = {
    "doctor": "doctor:doctor",
    "down": "service:down",
    "ingest": "ingest:ingest",
    "play": "play:play",
    "run": "run:run",
    "status": "service:status",
    "titles": "titles:titles",
    "up": "up:up",
}
ACCOUNT_COMMANDS = {
    "create": "accounts:create",
    "login-link": "accounts:login_link",
}


class Commands(click.Group):
    """Loads commands by name, gives each ``--data`` and ``--verbose``, tells errors in sentences.

    ``table`` maps a command's name to its ``module:function`` in this package.
    """

    def __init__(self, name: str, table: dict[str, str], summary: str) -> None:
        super().__init__(name=name, help=summary)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self._table, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands and cmd_name in self._table:
            module, _, function = self._table[cmd_name].partition(":")
            command: click.Command = getattr(
                importlib.import_module(f"cuemark.app.cli.{module}"), function
            )
            command.params += [_data_option(), _verbose_option()]
            self.add_command(command, cmd_name)
        return self.commands.get(cmd_name)

    def invoke(self, ctx: click.Context) -> object:
        with sentences(bool(ctx.meta.get("verbose"))):
            return super().invoke(ctx)


def _data_option() -> click.Option:
    return click.Option(
        ["--data", "folder"],
        type=click.Path(path_type=Path, file_okay=False),
        envvar="CUEMARK_DATA",
        default=DEFAULT_FOLDER,
        show_default=True,
        help="The data folder of the install.",
        callback=lambda context, option, value: DataFolder(value),
    )


def _verbose_option() -> click.Option:
    return click.Option(
        ["--verbose"],
        is_flag=True,
        expose_value=False,
        help="Show the trace of an error.",
        callback=lambda context, option, value: context.meta.update(verbose=value),
        is_eager=True,
    )


main = Commands(
    "cuemark",
    COMMANDS,
    "Cuemark: the streaming service you can own, run, break and measure.",
)
click.version_option(package_name="cuemark")(main)
main.add_command(Commands("account", ACCOUNT_COMMANDS, "Members' accounts."), "account")
