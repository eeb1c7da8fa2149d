"""The command ``forecasts``: each command parses, calls one verb, prints.

Errors are translated here, once: a sentence and a remedy on standard error, exit code 2 for what
the caller can put right and 1 for the rest. Nothing slow is imported before a command needs it.
"""

from __future__ import annotations

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
