"""The command ``forecasts``: each command parses, calls one verb, prints.

Errors are handled here, once: a sentence and a remedy on standard error, exit code 2 if the caller
can fix it, else 1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo

from forecasts.cli.console import ENDING
from forecasts.cli.options import AsMember, flag
from forecasts.cli.printing import ignoring_closed_pipe, print_error
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.limits import limit_memory

Function = TypeVar("Function", bound=Callable[..., Any])
_MEMORY = "FORECASTS_MEMORY_GB"
# The commands by section, as --help lists them: each with its module and its help in a line.
SECTIONS = {
    "Start": {
        "today": (
            "today",
            "List the questions that need you, the most urgent first.",
        ),
        "app": ("serve", "Serve the app, to you alone or to a team that signs in."),
        "demo": ("serve", "Build the sample ledger, of simulated people, and serve it."),
        "api": ("serve", "Serve the HTTP API to bots and scripts, each with its token."),
        "mcp": ("serve", "Serve the ledger to a language model on this machine."),
    },
    "Articles and questions": {
        "feed": ("feeds", "Manage your feeds of articles."),
        "capture": ("articles", "Capture a page's articles and list possible questions."),
        "articles": ("articles", "List captured articles, or show one and register its drafts."),
        "draft": ("models", "Ask your language model for questions from an article."),
        "model": ("models", "See your language model's calls, and decide on its proposals."),
        "ask": ("ask", "Ask a question, or take an article's draft, and forecast it."),
        "lint-question": ("lint", "Find faults in a question's wording and suggest fixes."),
        "questions": ("questions", "List questions, open ones first, with your forecasts."),
        "show": ("show", "Show a question on one screen: forecasts, outcome and scores."),
        "revise": ("ask", "Reword a question or change its dates."),
        "close": ("ask", "Close a question early."),
        "discard": ("ask", "Discard your own question within a day of asking it."),
        "group": ("ties", "Manage groups: questions under one title, such as deadlines."),
        "condition": ("ties", "Ask a question under each outcome of another."),
        "link": ("ties", "Link two questions, or change a link."),
        "unlink": ("ties", "Remove a link."),
        "same": ("same", "List questions that may be the same, or make them a family."),
    },
    "Forecasts": {
        "update": ("forecast", "Forecast a question, or update your forecast, with evidence."),
        "withdraw": ("forecast", "Withdraw your forecast."),
        "coherence": ("ties", "List your forecasts that contradict each other."),
        "look-again": ("forecast", "Set how often Today asks you to review your forecasts."),
        "inbox": ("inbox", "List new articles and the questions they bear on."),
        "accept": ("inbox", "Update a forecast and cite an article of the inbox."),
        "dismiss": ("inbox", "Dismiss an article that the inbox suggests for a question."),
        "threshold": ("inbox", "Show or set the lowest score that the inbox suggests."),
        "notify": ("notify", "Manage your notifications."),
    },
    "Resolution": {
        "propose": ("resolve", "Propose an outcome."),
        "resolve": ("resolve", "Resolve a question and score its forecasts."),
        "reject": ("resolve", "Reject a question's proposed outcomes."),
        "dispute": ("resolve", "Dispute a question's outcome."),
        "uphold": ("resolve", "Uphold a disputed outcome, which makes it final."),
        "resolver": ("resolvers", "Manage a question's resolvers, which look up its outcome."),
        "run": ("runs", "Resolve due questions with their resolvers, and read due feeds."),
        "schedule": ("runs", "Print the configuration for scheduled runs."),
    },
    "Scores": {
        "scores": ("scores", "List your scores on resolved questions."),
        "report": ("reports", "Report scores and calibration, and compare them with luck."),
        "compare": ("reports", "Compare teams, forecasters, kinds or models."),
        "score": ("scores", "Score each forecaster on each resolved question."),
        "crowd": ("scores", "Print the crowd's forecast on each question."),
        "attribute": ("scores", "Attribute scores to updates, evidence and its sources."),
        "rescore": ("resolve", "Recompute scores, current forecasts and matches of news."),
    },
    "Data": {
        "import": ("exchange", "Import a ledger folder or exports of other platforms."),
        "pull": ("pull", "Import your record from your account on another platform."),
        "export": ("exchange", "Export a ledger folder, or files in another platform's format."),
        "publish": ("publish", "Publish a record as a site that strangers can check."),
        "verify": ("operations", "Check that history and scores are unchanged; print the digest."),
        "digest": ("digests", "Print the ledger's digest, and send it somewhere safe."),
        "backup": ("operations", "Back up a ledger file while it is in use, and verify the copy."),
        "restore": ("operations", "Restore a ledger from a verified backup."),
        "move": ("operations", "Move the ledger to another database and compare every row."),
        "partition": ("parts", "Divide a ledger of any size into parts, for bulk scoring."),
        "simulate": ("parts", "Simulate a tournament of any size, as a folder of parts."),
    },
    "Administration": {
        "check": ("operations", "Check a ledger: schema, permissions, clock, rows and sign-in."),
        "migrate": ("operations", "Create a ledger on a server, or update its schema."),
        "team": ("members", "Manage teams, their members' roles and their rules."),
        "token": ("members", "Manage tokens, by which bots and scripts act."),
        "member": ("members", "Export or remove a member's data, or adopt a model as your bot."),
        "identify": ("members", "Link a new sign-in to an existing member."),
    },
}
COMMANDS = {name: one for section in SECTIONS.values() for name, one in section.items()}


class _Commands(TyperGroup):
    """The commands: a module is imported when one of its commands is called, not for the list.

    Errors of the ledger become exit codes here.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (_, words) in COMMANDS.items():
            self.commands.setdefault(name, TyperCommand(name, help=words))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the called command's name, the command, and the arguments left for it."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _loaded(name), rest

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of each section, with the first sentence of their help."""
        for section, names in SECTIONS.items():
            width = formatter.width - 4 - max(map(len, names))
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
        except Exception as error:
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort):
                raise  # it ends the command as it should
            from scoring.errors import InputError  # which loads pandas

            if isinstance(error, InputError):
                print_error(LedgerError(str(error)))
                raise typer.Exit(2) from None
            from forecasts.cli.session import altered  # which loads the database's libraries

            if (wrong_ledger := altered()) is None:
                raise
            print_error(wrong_ledger)
            raise typer.Exit(wrong_ledger.exit_code) from None
        finally:
            ENDING.close()


class _App(typer.Typer):
    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = AsMember, **settings: Any
    ) -> Callable[[Function], Function]:
        """Add a command, with --database and --as unless ``cls`` has others."""
        return super().command(name, cls=cls, **settings)


# The modules' commands and groups, each built when it is first called.
app = _App(rich_markup_mode=None)
command_line = typer.Typer(
    name="forecasts",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Ask questions, forecast them, update as evidence comes in, and learn from your scores. "
        'Start with: forecasts ask "Will it rain in London tomorrow?" 30%'
    ),
)


def loaded() -> dict[str, Any]:
    """Import the module of every command; return the commands by name."""
    return {name: _loaded(name) for name in COMMANDS}


@cache
def _loaded(name: str) -> Any:
    import_module(f"forecasts.cli.{COMMANDS[name][0]}")
    alone = typer.Typer(rich_markup_mode=None)
    alone.registered_commands = [one for one in app.registered_commands if _name(one) == name]
    alone.registered_groups = [one for one in app.registered_groups if one.name == name]
    return typer.main.get_group(alone).commands[name]


def _name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or typer.main.get_command_name(command.callback.__name__)


def group(name: str, **settings: Any) -> typer.Typer:
    """Return a new group of commands, such as those of ``forecasts team``."""
    made = _App(name=name, rich_markup_mode=None, **{"no_args_is_help": True, **settings})
    app.add_typer(made, name=name)
    return made


def _version(wanted: bool) -> None:
    if wanted:
        import scoring  # which loads pandas

        typer.echo(f"forecast-ledger {scoring.__version__}")
        raise typer.Exit


@command_line.callback()
def _options(
    version: Annotated[
        bool, flag("--version", "Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if _MEMORY in os.environ:
        from forecasts.cli.session import settings  # which loads the database's libraries

        if (most := settings().memory_gb) is not None:
            limit_memory(most)


def _wrong_number(error: typer.BadParameter) -> BadInput | None:
    """Return the error in our words if an option or argument is not a number in its range."""
    from pydantic import ValidationError  # Typer reads numbers with it

    if not isinstance(error.__cause__, ValidationError) or error.param is None:
        return None
    [found, *_] = error.__cause__.errors()
    is_option = error.param.param_type_name == "option"
    name = error.param.opts[0] if is_option else error.param.metavar
    rule = found["msg"].removeprefix("Input should be ").partition(",")[0]
    return BadInput(f"{name} {found['input']!r} is not valid.", remedy=f"It must be {rule}.")


def _out_of_memory() -> LedgerError:
    may_take = "there is" if _MEMORY not in os.environ else f"{_MEMORY} allows"
    return LedgerError(
        f"The command needs more memory than {may_take}. Unfinished work was not stored.",
        remedy="Allow more, or divide the work: a folder can be imported in parts "
        "(docs/operating.md#memory).",
    )
