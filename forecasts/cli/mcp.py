"""The command mcp: the ledger for a language model on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import Engine
from typer import Option

from forecasts.access import tokens
from forecasts.access.members import kind_of, member_or_new
from forecasts.api.door import Here
from forecasts.cli.console import print_note
from forecasts.cli.options import CHOSEN, OnLedger
from forecasts.cli.root import app
from forecasts.cli.session import acting, ledger, reading_as, settings
from forecasts.common.errors import Refused, command
from forecasts.common.extras import missing
from forecasts.ledger.append import written
from forecasts.ledger.models import BotOwner, MemberKind

Model = Annotated[
    str | None,
    Option(
        "--as",
        metavar="NAME",
        help="Act as this bot; a new name becomes your bot. [default: yourself]",
        show_default=False,
    ),
]


@app.command(cls=OnLedger)
def mcp(member: Model = None) -> None:
    """Serve the ledger to a language model on this machine.

    An MCP client starts this command itself; docs/mcp.md has the lines for its configuration.
    """
    try:
        from forecasts.api.mcp.server import build
    except ImportError:
        raise missing("The MCP server", "api") from None
    CHOSEN["member"] = None if member is None else member.strip()
    chosen = settings()
    door = _Own(ledger(chosen, begin=True), chosen.allow_private_addresses)
    print_note(_ready(door))
    build(lambda: door).run("stdio")


@dataclass(frozen=True)
class _Own:
    """The way to the ledger for the member who started the command."""

    engine: Engine
    allow_private: bool

    @contextmanager
    def reading(self) -> Iterator[Here]:
        with reading_as(engine=self.engine) as here:
            yield Here(*here)

    @contextmanager
    def acting(self) -> Iterator[Here]:
        with acting(engine=self.engine) as here:
            yield Here(*here)


def _ready(door: _Own) -> str:
    """Return a sentence on the acting member. A new name becomes the user's bot: it is written.

    Errors that every tool would have are raised here: Forbidden as in ``acting``, Refused for a
    person other than the user, since a model does not forecast in another member's name.
    """
    chosen, user = settings(), settings(member=None).member
    with reading_as(engine=door.engine) as (session, found, now):
        name = tokens.acting_handle(session, chosen, now=now)
        kind = None if found is None else kind_of(session, found)
    if name == user:
        if kind not in (None, MemberKind.human):
            return f"The model acts as {name}, a bot."
        return (
            f"The model acts as you, {name}: its forecasts count as yours. To keep the records "
            "apart, name the model with --as."
        )
    if found is None:
        with acting(engine=door.engine, chosen=settings(member=None)) as (session, owner, now):
            found = member_or_new(session, name, now=now, kind=MemberKind.bot)
            written(session, BotOwner(bot_id=found.id, owner_id=owner.id, recorded_at=now))
        return f"The model acts as {name}, a new bot of {user}."
    if kind == MemberKind.human:
        raise Refused(
            f"{name!r} is a person, and a model does not forecast in another member's name.",
            remedy="Choose a new name for the model: it becomes your bot. If this one is already "
            f"a model's, adopt it: {command('member adopt', name)}",
        )
    return f"The model acts as {name}, a bot."
