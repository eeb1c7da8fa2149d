"""The commands on what looks up a question's outcome: resolver kinds, set, try."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from forecasts.cli import app
from forecasts.cli.console import (
    Database,
    Member,
    QuestionSlug,
    acting,
    ledger,
    ledger_to_read,
    now,
    out,
    plain,
    reading_as,
    settings,
)
from forecasts.errors import BadInput
from forecasts.times import to_minute

resolver = typer.Typer(
    name="resolver",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Say what looks up how a question came out, for forecasts run.",
)
app.add_typer(resolver)


@resolver.command()
def kinds(
    name: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="Only this one. [default: all]")
    ] = None,
) -> None:
    """List the kinds of resolvers there are, and what can be set for each."""
    from forecasts.resolvers import kind, names

    console = out()
    for each in names() if name is None else [name]:
        try:
            found = kind(each)
        except BadInput as error:
            if name is not None:
                raise
            console.print(plain(f"{each}: {error.message}"))
            continue
        proposes = " It only proposes." if found.only_proposes else ""
        said = " ".join((found.settings.__doc__ or "").split())
        console.print(plain(f"{each}: {said}{proposes}"))
        for field_name, field in found.settings.model_fields.items():
            default = (
                "required"
                if field.is_required()
                else _default(field.get_default(call_default_factory=True))
            )
            console.print(plain(f"  {field_name}: {field.description or ''} [{default}]"))


def _default(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return "optional"
    return f"default: {json.dumps(value)}"


@resolver.command("set")
def set_(
    question: QuestionSlug,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="See: forecasts resolver kinds.")],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME=VALUE",
            help="One of its settings; lists and objects as JSON. Can be repeated.",
        ),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Give a question its resolver, in place of the one that it had.

    The settings are checked here, so that none fails at three in the morning.
    """
    from forecasts import questions, runs
    from forecasts.database import writing

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        carried = runs.attach(
            session,
            questions.find(session, question),
            kind,
            _settings(given or []),
            member=who,
            now=moment,
        )
        stored = carried.settings
    out().print(plain(f"{question}: {kind} will say how it came out"))
    for name, value in stored.items():
        out().print(plain(f"  {name}: {json.dumps(value, ensure_ascii=False)}"))


def _settings(given: list[str]) -> dict[str, Any]:
    """Return what was given by name; what reads as a JSON list or object is one, the rest text."""
    read: dict[str, Any] = {}
    for each in given:
        name, sign, value = each.partition("=")
        if not sign or not name.strip():
            raise BadInput(f"{each!r} is no setting.", remedy="Write --with NAME=VALUE.")
        if name.strip() in read:
            raise BadInput(f"The setting {name.strip()!r} is given twice.")
        text: Any = value.strip()
        if text[:1] in ("[", "{"):
            try:
                text = json.loads(text)
            except ValueError as error:
                raise BadInput(f"The setting {name.strip()!r} is no JSON: {error}.") from None
        read[name.strip()] = text
    return read


@resolver.command("try")
def try_(question: QuestionSlug, database: Database = None) -> None:
    """Look now, and say what the resolver of a question finds. Nothing is stored."""
    from forecasts import questions, runs

    chosen = settings(database)
    engine = ledger_to_read(chosen)
    with reading_as(chosen, engine) as (session, _):
        questions.find(session, question)  # it is looked at for who may see it
    found = runs.look(
        engine,
        question,
        now=now(),
        allow_private=chosen.allow_private_addresses,
    )
    console = out()
    if found is None:
        console.print(plain(f"{question}: not known yet"))
        return
    console.print(plain(f"{question}: {found.outcome}, known at {to_minute(found.known_at)}"))
    for line in (found.source, *found.note.splitlines()):
        if line:
            console.print(plain(f"  {line}"))
    for seen in found.seen:
        console.print(plain(f"  seen: {seen.address}, {len(seen.content):,} bytes, {seen.sha256}"))
