"""The options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand
from typer.main import get_command

from forecasts.cli.console import one_of

Database = Annotated[
    str | None,
    Option(
        "--database",
        metavar="URL|FILE",
        help="The ledger: an SQLite file or a database URL. "
        "[default: $FORECASTS_DATABASE_URL, else a file in your data folder]",
        show_default=False,
    ),
]
Member = Annotated[
    str | None,
    Option(
        "--as",
        metavar="HANDLE",
        help="Act as this member. [default: $FORECASTS_MEMBER, else your user name]",
        show_default=False,
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


QuestionSlug = Annotated[
    str, Argument(metavar="QUESTION", help="The question's ID, or its number in the list.")
]
Yes = Annotated[bool, Option("--yes", help="Do not ask for confirmation.")]
Handle = Annotated[str, Argument(metavar="HANDLE", help="The member.")]
Because = Annotated[str, Option(metavar="TEXT", help="Your reason, in one line.")]
OutcomesFile = Annotated[
    Path | None, Option(metavar="FILE", help="Resolve from this CSV or JSON file of outcomes.")
]
VisibleTo = Annotated[
    str | None,
    Option(
        metavar="everyone|me|TEAM", help="Limit who can see it. [default: everyone, or unchanged]"
    ),
]


def _text_or_json(value: str) -> str:
    return str(one_of("--format", value, ("text", "json")))


# The one way to ask for JSON. Its shapes are in docs/json.md; commands with more formats have more.
TextOrJson = Annotated[
    str,
    Option(
        "--format",
        metavar="text|json",
        callback=_text_or_json,
        help="Output format (docs/json.md).",
    ),
]
# The option of earlier releases.
JsonAlias = Annotated[bool, Option("--json", hidden=True, help="The same as --format json.")]
