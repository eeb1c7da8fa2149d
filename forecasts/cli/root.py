"""The command ``forecasts``: each command parses, calls one verb, prints.

Errors are handled here, once: a sentence and a remedy on standard error, exit code 2 if the caller
can fix it, else 1. Nothing slow is imported before a command needs it.
"""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer import Option
from typer.core import TyperGroup

from forecasts.cli.console import ignoring_closed_pipe, print_error
from forecasts.cli.session import close_ledgers, settings
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.limits import limit_memory

_MEMORY = "FORECASTS_MEMORY_GB"
# The commands by section, as --help lists them.
SECTIONS = {
    "Start": ("today", "app", "demo", "api", "mcp"),
    "Articles and questions": (
        "capture",
        "articles",
        "ask",
        "questions",
        "show",
        "revise",
        "close",
        "discard",
        "same",
    ),
    "Forecasts": ("update", "withdraw", "look-again", "notify"),
    "Resolution": (
        "propose",
        "resolve",
        "reject",
        "dispute",
        "uphold",
        "resolver",
        "run",
        "schedule",
    ),
    "Scores": ("scores", "report", "compare", "score", "crowd", "attribute", "rescore"),
    "Data": (
        "import",
        "pull",
        "export",
        "publish",
        "verify",
        "digest",
        "backup",
        "restore",
        "move",
        "partition",
        "simulate",
    ),
    "Administration": ("check", "migrate", "team", "token", "member", "identify"),
}


class _HandlesErrors(TyperGroup):
    """Lists the commands by section, and turns the ledger's errors into exit codes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of each section, with the first sentence of their help."""
        width = formatter.width - 6 - max(map(len, self.commands))
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(
                    [(name, self.commands[name].get_short_help_str(width)) for name in names]
                )

    def invoke(self, ctx: Any) -> Any:
        try:
            with ignoring_closed_pipe():
                return super().invoke(ctx)
        except LedgerError as error:
            print_error(error)
            raise typer.Exit(error.exit_code) from None
        except typer.BadParameter as error:
            if (wrong := _wrong_number(error)) is None:
                raise
            print_error(wrong)
            raise typer.Exit(wrong.exit_code) from None
        except MemoryError:
            print_error(_out_of_memory())
            raise typer.Exit(1) from None
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
        "Ask questions, forecast them, update as evidence comes in, and learn from your scores. "
        'Start with: forecasts ask "Will it rain in London tomorrow?" 30%'
    ),
)


def group(name: str, *, help: str) -> typer.Typer:
    """Return a new group of commands, such as those of ``forecasts team``."""
    made = typer.Typer(name=name, no_args_is_help=True, rich_markup_mode=None, help=help)
    app.add_typer(made)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        import scoring

        typer.echo(f"forecast-ledger {scoring.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if _MEMORY in os.environ and (most := settings().memory_gb) is not None:
        limit_memory(most)


def _wrong_number(error: typer.BadParameter) -> BadInput | None:
    """Return the error in our words if an option or argument is not a number in its range."""
    from pydantic import ValidationError  # Typer reads numbers with it

    if not isinstance(error.__cause__, ValidationError) or error.param is None:
        return None
    [found, *_] = error.__cause__.errors()
    is_option = error.param.param_type_name == "option"
    name = error.param.opts[0] if is_option else error.param.metavar
    kind, value, limits = found["type"], found["input"], found.get("ctx", {})
    if kind.startswith(("int_", "float_")) or value == "nan":
        number, such = ("whole number", "10") if kind.startswith("int_") else ("number", "0.5")
        return BadInput(
            f"{name} {value!r} is not a {number}.",
            remedy=f"Write it in digits, such as {such}.",
        )
    if kind == "greater_than_equal":
        least = f"{limits['ge']:,}".removesuffix(".0")
        return BadInput(f"{name} {value!r} is below {least}.", remedy=f"Use {least} or more.")
    if kind == "less_than_equal":
        most = f"{limits['le']:,}".removesuffix(".0")
        return BadInput(f"{name} {value!r} is above {most}.", remedy=f"Use {most} or less.")
    return None


def _out_of_memory() -> LedgerError:
    may_take = "there is" if _MEMORY not in os.environ else f"{_MEMORY} allows"
    return LedgerError(
        f"The command needs more memory than {may_take}. Unfinished work was not stored.",
        remedy="Allow more, or divide the work: a folder can be imported in parts "
        "(docs/operating.md#memory).",
    )
