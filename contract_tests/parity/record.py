"""The command `parity record`: how an app is recorded, what is in a recording, and its requests as cases."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from contract_tests.parity.traffic.conversion import summary, write_cases
from contract_tests.parity.traffic.exchanges import RecordingError
from contract_tests.parity.traffic.recordings import read_recording
from contract_tests.parity.verdict import USAGE

_FILE = click.Path(path_type=Path)
LINES = """\
Where your Flask app (or any WSGI app) is made:

    from contract_tests.parity.recording import WSGIRecorder
    app = create_app()
    app.wsgi_app = WSGIRecorder(app.wsgi_app, "recordings/original")

Where your FastAPI app (or any ASGI app) is made:

    from contract_tests.parity.recording import ASGIRecorder
    app = create_app()
    app = ASGIRecorder(app, "recordings/port")

Give both the same PARITY_RECORD_KEY, a random text. Then:

    parity record --check recordings/original
    parity shadow recordings/original recordings/port"""


@click.command()
@click.option("--check", "checked", type=_FILE, metavar="RECORDING", help="Tell what is in a file or a folder.")
@click.option("--cases", type=_FILE, metavar="FILE", help="With --check: write its requests to a new file of cases.")
def record(checked: Path | None, cases: Path | None) -> None:
    """Show the lines that record an app, or tell what is in a recording.

    A recording is a folder or a file of the recorder (.jsonl), a GoReplay file (.gor) or a HAR file (.har). With
    --cases its requests become cases for `parity check --cases`, their secrets replaced. Exit code: 0, or 2 where a
    line is broken or the file of cases exists.
    """
    if checked is None:
        if cases is not None:
            _end("--cases needs --check RECORDING, whose requests it writes")
        click.echo(LINES)
        return
    try:
        recording = read_recording(checked)
        for line in summary(recording):
            click.echo(line)
        if cases is not None:
            click.echo(f"{write_cases(recording, cases)} cases are in {cases}")
    except RecordingError as error:
        _end(str(error))
    except FileExistsError:
        _end(f"{cases} exists: nothing is written over it")
    except OSError as error:
        _end(f"{error.filename}: {error.strerror}")


def _end(why: str) -> None:
    for line in why.splitlines():
        click.echo(f"parity: {line}", err=True)
    sys.exit(USAGE)
