"""A command line that is wrong is one line that says what is wrong and where help is, whichever command it is"""

import pytest
from click.testing import CliRunner

from contract_tests.__main__ import COMMANDS, main


def run(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check"], "parity: Missing argument 'ORIGINAL'; parity check --help says more"),
        (["check", "a", "b", "--seed", "x"], "'--seed': 'x' is not a valid integer; parity check --help says more"),
        (["check", "a", "b", "--sedd", "1"], "parity: No such option '--sedd'"),
        (["chekc"], "parity: No such command 'chekc'"),
        (["gateway", "nothing"], "parity gateway --help says more"),
        (["globals", "/no/such/folder"], "parity: /no/such/folder: no such file or folder"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_code_2(arguments, told):
    ended = run(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_an_unknown_option_of_any_command_is_one_line(name):
    ended = run(name, "--no-such-option")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("parity: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version"]])
def test_help_is_no_error(arguments):
    ended = run(*arguments)
    assert (ended.exit_code, ended.stderr) == (0, "")


def test_without_a_command_all_are_listed():
    ended = run()
    assert ended.exit_code == 2
    assert all(name in ended.output for name in COMMANDS)


def test_ctrl_c_is_one_line(monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("contract_tests.__main__.Commands.resolve_command", interrupted)
    ended = run("record")
    assert (ended.exit_code, ended.stderr) == (130, "\nparity: interrupted\n")
