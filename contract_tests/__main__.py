"""The command `parity`: the engine and the migration tools on anyone's pair of apps."""

from __future__ import annotations

from importlib import import_module

import click

# Where each command is, and what it is for. The help of all of them imports none of them.
COMMANDS = {
    "accept": ("contract_tests.parity.acceptance:accept", "Add a cause of the last report to the ledger."),
    "accept-difference": ("contract_tests.parity.accept:accept", "Add one difference of it."),
    "check": ("contract_tests.parity.check:check", "Ask two apps the same, and tell every difference."),
    "gateway": ("contract_tests.migration.gateway.command:gateway", "Write a proxy's configuration from one table."),
    "globals": ("contract_tests.migration.globals.command:find_globals", "Find every use of Flask's globals."),
    "models": ("contract_tests.migration.models.command:models", "Draft Pydantic models from code and traffic."),
    "notes": ("contract_tests.parity.notes.command:notes", "Say what changes for the users of the API."),
    "record": ("contract_tests.parity.record:record", "Say how to record traffic, or what a recording holds."),
    "routes": ("contract_tests.migration.routes.command:routes", "The board: each route, and how far its port is."),
    "scaffold": ("contract_tests.migration.scaffold.command:scaffold", "Draft the port's router, and its tests."),
    "shadow": ("contract_tests.parity.shadow:shadow", "Compare what both apps answered to the same traffic."),
    "strength": ("contract_tests.parity.strength.command:strength", "Break the port, and see what your cases catch."),
    "watch": ("contract_tests.parity.watch:watch", "Compare latency and errors of two running apps, route by route."),
}


class Commands(click.Group):
    """A group whose commands are named by COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in sorted(COMMANDS.items())])


@click.command(cls=Commands, help=__doc__)
@click.version_option(package_name="flask-fastapi-parity")
def main() -> None:
    pass


if __name__ == "__main__":
    main()
