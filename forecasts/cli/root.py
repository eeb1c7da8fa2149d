"""The command ``forecasts``: each command parses, calls one verb, prints.

Errors are handled here, once: a sentence and a remedy on standard error, exit code 2 if the caller
can fix it, else 1. Nothing slow is imported before a command needs it.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forecasts.cli.console import close_ledgers, ignoring_closed_pipe, print_error
from forecasts.common.errors import LedgerError


class _HandlesErrors(TyperGroup):
    """Turns the ledger's errors into sentences and exit codes, for every command."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with ignoring_closed_pipe():
                return super().invoke(ctx)
        except LedgerError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from None
        except ValueError as error:
            from scoring.errors import InputError  # imports pandas, so only here

            if not isinstance(error, InputError):
                raise
            print_error(LedgerError(str(error)))
            raise typer.Exit(2) from None
        finally:
            close_ledgers()


app = typer.Typer(
    name="forecasts",
    cls=_HandlesErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Turn news into questions, forecast them, update as evidence comes in, and learn from "
        "your scores. Start with: forecasts demo"
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
