"""The command `parity`: the engine and the migration tools on anyone's pair of apps."""

from __future__ import annotations

from importlib import import_module

import click

# Where each command is: what it needs is imported when it is asked for.
COMMANDS = {
    "check": "contract_tests.parity.check:check",
    "globals": "contract_tests.migration.globals.command:find_globals",
    "models": "contract_tests.migration.models.command:models",
    "routes": "contract_tests.migration.routes.command:routes",
    "scaffold": "contract_tests.migration.scaffold.command:scaffold",
}


class Commands(click.Group):
    """A group whose commands are named by COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=Commands, help=__doc__)
@click.version_option(package_name="flask-fastapi-parity")
def main() -> None:
    pass


if __name__ == "__main__":
    main()
