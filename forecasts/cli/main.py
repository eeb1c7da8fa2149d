"""The command ``forecasts``: each command parses, calls one verb, prints.

Errors are translated here, once: a sentence and a remedy on standard error, exit code 2 for what
the caller can put right and 1 for the rest. Nothing slow is imported before a command needs it.
"""

from __future__ import annotations

import gc
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forecasts.cli.console import close_ledgers, complain, quiet_pipe
from forecasts.common.errors import LedgerError


class _Translated(TyperGroup):
    """Turns the ledger's errors into sentences and exit codes, for every command."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with quiet_pipe():
                return super().invoke(ctx)
        except LedgerError as error:
            complain(error)
            raise typer.Exit(error.exit_code) from None
        except ValueError as error:
            from scoring.errors import InputError  # only now: it brings pandas with it

            if not isinstance(error, InputError):
                raise
            complain(LedgerError(str(error)))
            raise typer.Exit(2) from None
        finally:
            close_ledgers()


app = typer.Typer(
    name="forecasts",
    cls=_Translated,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Turn news into questions, put probabilities on them, change those as evidence comes "
        "in, and learn from the score. Start with: forecasts demo"
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        import scoring

        typer.echo(f"forecast-ledger {scoring.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line."""
    # A command makes much and drops little: the collector would look through all of it time and
    # again, and once more as the process ends.
    gc.set_threshold(200_000)
    try:
        app()
    finally:
        gc.freeze()


# Commands register themselves on ``app``, in the order in which --help shall show them.
# isort: off
from forecasts.cli import serve, operations, tokens, members, chain  # noqa: E402, F401
from forecasts.cli import articles, ask, questions  # noqa: E402, F401
from forecasts.cli import forecast, revise, resolve, runs  # noqa: E402, F401
from forecasts.cli import resolvers, schedule, notify  # noqa: E402, F401
from forecasts.cli import scores, reports, comparisons, exchange, teams  # noqa: E402, F401
# isort: on
