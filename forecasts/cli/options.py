"""The options and arguments that several commands share."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand
from typer.main import get_command

from forecasts.cli.console import one_of


def option(metavar: str, help: str, *names: str, **rules: Any) -> Any:
    """Return an option with a value, called like its parameter unless it has other names."""
    return Option(*names, metavar=metavar or None, help=help, **rules)


def flag(name: str, help: str, **how: Any) -> Any:
    """Return an option without a value."""
    return Option(name, help=help, **how)


def argument(metavar: str, help: str) -> Any:
    """Return an argument."""
    return Argument(metavar=metavar, help=help)


Database = Annotated[
    str | None,
    option(
        "URL|FILE",
        "The ledger: an SQLite file or a database URL. "
        "[default: $FORECASTS_DATABASE_URL, else a file in your data folder]",
        "--database",
    ),
]
Member = Annotated[
    str | None,
    option(
        "HANDLE", "Act as this member. [default: $FORECASTS_MEMBER, else your user name]", "--as"
    ),
]
# The ledger and the member that the command names, by the names of the settings.
CHOSEN: dict[str, str | None] = {}


class OnLedger(TyperCommand):
    """A command that takes --database, after options of its own."""

    def __init__(self, name: str | None, *, params: Any = None, **settings: Any) -> None:
        only = typer.Typer(add_completion=False)
        only.command()(self.ledger)
        self.shared = get_command(only).params
        super().__init__(name, params=[*(params or ()), *self.shared], **settings)

    @staticmethod
    def ledger(database_url: Database = None) -> None:
        """Declare the options."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what it named is in ``CHOSEN`` meanwhile."""
        CHOSEN.update({one.name: ctx.params.pop(one.name) for one in self.shared})
        try:
            return super().invoke(ctx)
        finally:
            CHOSEN.clear()


class AsMember(OnLedger):
    """A command that takes --database and --as, as commands do unless they say otherwise."""

    @staticmethod
    def ledger(database_url: Database = None, member: Member = None) -> None:
        """Declare the options."""


_BELOW_ZERO = re.compile(r"-([\d.,]|inf)")


class TakesNegativeValues(AsMember):
    """A command whose arguments may begin with a minus and a digit: -5% is not an option.

    All arguments are moved behind ``--``, in their order.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments that are left after parsing into ``ctx.params``."""
        after: list[str] = []
        if "--" in args:
            place = args.index("--")
            args, after = args[:place], args[place + 1 :]
        takes_value = {
            name
            for parameter in self.get_params(ctx)
            if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        options: list[str] = []
        arguments: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg in takes_value:
                options += [arg, *islice(rest, 1)]
            elif arg.startswith("-") and arg != "-" and not _BELOW_ZERO.match(arg):
                options.append(arg)
            else:
                arguments.append(arg)
        return super().parse_args(ctx, [*options, "--", *arguments, *after])


QuestionSlug = Annotated[str, argument("QUESTION", "The question's ID, or its number in the list.")]
Every = Annotated[bool, flag("--all", "List every question, not only the first ones.")]
DryRun = Annotated[bool, flag("--dry-run", "Print the results; nothing is stored.")]
Overwrite = Annotated[bool, flag("--overwrite", "Replace an earlier result in the folder.")]
Account = Annotated[
    str | None, option("NAME", "Your name on the platform, if it is not recognised.")
]
Vouch = Annotated[
    bool,
    flag(
        "--vouch",
        "Vouch for the times of the forecasts; needs an admin. Otherwise they count from now "
        "on. Implied in a ledger of your own.",
    ),
]
Yes = Annotated[bool, flag("--yes", "Do not ask for confirmation.")]
Handle = Annotated[str, argument("HANDLE", "The member.")]
Because = Annotated[str, option("TEXT", "Your reason, in one line.")]
OutcomesFile = Annotated[
    Path | None, option("FILE", "Resolve from this CSV or JSON file of outcomes.")
]
VisibleTo = Annotated[
    str | None,
    option("everyone|me|TEAM", "Limit who can see it. [default: everyone, or unchanged]"),
]


ImportedVisibleTo = Annotated[
    str | None,
    option(
        "everyone|me|TEAM",
        "Audience of the new questions. [default: everyone; in a shared ledger only you, for "
        "those without criteria]",
        "--visible-to",
    ),
]


def _text_or_json(value: str) -> str:
    return str(one_of("--format", value, ("text", "json")))


# The one way to ask for JSON. Its shapes are in docs/json.md; commands with more formats have more.
TextOrJson = Annotated[
    str, option("text|json", "Output format (docs/json.md).", "--format", callback=_text_or_json)
]
# The option of earlier releases.
JsonAlias = Annotated[bool, flag("--json", "The same as --format json.", hidden=True)]
