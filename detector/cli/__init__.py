"""The command line. One thin function a command; whatever is heavy is imported where it is used."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from detector import __version__
from detector.cli import alerts, evaluate, ingest, metrics, rules, scan, serve, simulate, status, train
from detector.cli.common import ConfigOption, HomeOption, hoist, set_context
from detector.errors import DetectorError

app = typer.Typer(
    name="detector",
    help="Read police-index access logs, and rank and explain the look-ups that nothing legitimate explains.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: Rich alone would take three times as long to import as all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"detector {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: HomeOption = None,
    config: ConfigOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Read police-index access logs, and rank and explain the look-ups that nothing legitimate explains."""
    del version
    set_context(ctx, home=home, config=config)


app.command("scan")(scan.scan)
app.command("ingest")(ingest.ingest)
app.command("train")(train.train)
app.add_typer(rules.app, name="rules")
app.add_typer(alerts.app, name="alerts")
app.command("serve")(serve.serve)
app.command("metrics")(metrics.metrics)
app.command("simulate")(simulate.simulate)
app.command("evaluate")(evaluate.evaluate)
app.command("status")(status.status)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with the contract's exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run a command; its exit code. Nothing a user or their data did ends in a traceback."""
    try:
        app(args=hoist(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as exc:  # Typer's own way out, with 2 for a command line that makes no sense
        return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except DetectorError as exc:
        return _complain(str(exc), exc.exit_code)
    except KeyboardInterrupt:
        return _complain("interrupted; what was finished is kept, and the next run goes on from there", 130)
    except BrokenPipeError:
        # The reader of our output left (`| head`): not an error, but nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as exc:  # noqa: BLE001 - the last line of defence: an error of ours, said in one line
        if os.environ.get("DETECTOR_DEBUG"):
            traceback.print_exc()
        return _complain(
            f"internal error: {type(exc).__name__}: {exc}\n"
            "  This is a fault in the program. Run again with DETECTOR_DEBUG=1 and report what it prints.",
            5,
        )
    return 0


def _complain(message: str, code: int) -> int:
    print(f"detector: {message}", file=sys.stderr)  # noqa: T201
    return code
