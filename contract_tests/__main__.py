"""The command `parity`: the engine and the migration tools on anyone's pair of apps."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

# Exit codes that all commands share; the others are those of a verdict.
USAGE, INTERRUPTED = 2, 130

# Where each command is, and what it is for. The help of all of them imports none of them.
COMMANDS = {
    "accept": ("contract_tests.parity.acceptance:accept", "Add a cause of the last report to the ledger."),
    "accept-difference": ("contract_tests.parity.accept:accept", "Add one difference of it."),
    "check": ("contract_tests.parity.check:check", "Ask two apps the same, and tell every difference."),
    "gateway": ("contract_tests.migration.gateway.command:gateway", "Write a proxy's configuration from one table."),
    "globals": ("contract_tests.migration.globals.command:find_globals", "Find every use of Flask's globals."),
    "kit": ("contract_tests.migration.kit.command:kit", "Copy the wire kit into a project of yours."),
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

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's own, but for what went wrong: it is one line, and says where help is."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help())
            code = USAGE
        except click.ClickException as error:
            context = getattr(error, "ctx", None)
            help_of = f"; {context.command_path} --help says more" if context is not None else ""
            click.echo(f"parity: {' '.join(error.format_message().split()).rstrip('.')}{help_of}", err=True)
            code = error.exit_code
        except click.Abort:
            click.echo("parity: interrupted", err=True)
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)

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


@click.command(name="parity", cls=Commands, help=__doc__)
@click.version_option(package_name="flask-fastapi-parity")
def main() -> None:
    pass


if __name__ == "__main__":
    main()
