"""The commands on what looks up a question's outcome: resolver kinds, set, add, policy, try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from forecasts.cli.console import (
    Database,
    Member,
    QuestionSlug,
    acting,
    ledger,
    ledger_to_read,
    messages,
    now,
    one_of,
    out,
    printable,
    reading_as,
    settings,
)
from forecasts.cli.root import app
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.times import to_minute

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
    from forecasts.resolution.resolvers.kinds import kind, names

    console = out()
    for each in names() if name is None else [name]:
        try:
            found = kind(each)
        except BadInput as error:
            if name is not None:
                raise
            console.print(printable(f"{each}: {error.message}"))
            continue
        proposes = " It only proposes." if found.only_proposes else ""
        said = " ".join((found.settings.__doc__ or "").split())
        console.print(printable(f"{each}: {said}{proposes}"))
        for field_name, field in found.settings.model_fields.items():
            default = (
                "required"
                if field.is_required()
                else _default(field.get_default(call_default_factory=True))
            )
            console.print(printable(f"  {field_name}: {field.description or ''} [{default}]"))


def _default(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return "optional"
    return f"default: {json.dumps(value)}"


Kind = Annotated[str, typer.Argument(metavar="KIND", help="See: forecasts resolver kinds.")]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="NAME=VALUE",
        help="One of its settings; lists and objects as JSON. Can be repeated.",
    ),
]


@resolver.command("set")
def set_(
    question: QuestionSlug,
    kind: Kind,
    given: With = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Give a question its resolver, in place of those that it had.

    The settings are checked here, so that none fails at three in the morning.
    """
    _attach(question, kind, given, database, member, beside=False)


@resolver.command()
def add(
    question: QuestionSlug,
    kind: Kind,
    given: With = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Give a question a further resolver beside those that it has, as a quorum needs."""
    _attach(question, kind, given, database, member, beside=True)


@resolver.command()
def remove(question: QuestionSlug, database: Database = None, member: Member = None) -> None:
    """Take a question's resolvers away; what they have looked up stays, and a person settles it."""
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.resolution import assignments

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        found = registry.find(session, question)
        many = assignments.detach(session, found, member=who, now=moment)
    resolver_kinds = "its resolver" if many == 1 else f"its {many} resolvers"
    out().print(printable(f"{question} is looked up no more: {resolver_kinds} removed."))


def _attach(
    question: str,
    kind: str,
    given: list[str] | None,
    database: str | None,
    member: str | None,
    *,
    beside: bool,
) -> None:
    from forecasts.ledger.database import writing
    from forecasts.questions import registry
    from forecasts.resolution import assignments
    from forecasts.resolution.resolvers import kinds as resolver_kinds

    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        who = acting(session, chosen, now=moment)
        attached = assignments.attach(
            session,
            registry.find(session, question),
            kind,
            _settings(given or []),
            member=who,
            now=moment,
            beside=beside,
        )
        stored = attached.settings
        places = resolver_kinds.kind(kind).places
    out().print(printable(f"{question}: {kind} will say how it came out"))
    for name, value in stored.items():
        out().print(printable(f"  {name}: {json.dumps(value, ensure_ascii=False)}"))
    for name in places:
        _warn(stored.get(name))


def _warn(address: str | None) -> None:
    """Say what may not be meant of the place where a resolver looks."""
    from forecasts.resolution.resolvers import files

    for name in [] if address is None else files.keys_in(address):
        messages().print(
            printable(
                f"{name} in that address looks like a key: it is kept for good, and shown to "
                "whoever may see the question."
            )
        )
    if address is not None and not files.is_page(address) and not Path(address).exists():
        messages().print(
            printable(f"There is no file {address} yet; a run that finds none tries again later.")
        )


@resolver.command()
def policy(
    question: QuestionSlug,
    decides: Annotated[
        str,
        typer.Argument(
            metavar="POLICY",
            help="propose (a person decides), confirm (at once), or quorum (once several agree).",
        ),
    ],
    agreeing: Annotated[
        int | None,
        typer.Option("--agreeing", metavar="N", help="Of a quorum: how many have to agree."),
    ] = None,
    dispute_days: Annotated[
        float,
        typer.Option(
            "--dispute-days",
            metavar="DAYS",
            help="For how long a resolution may be disputed and its scores are provisional.",
        ),
    ] = 0,
    database: Database = None,
    member: Member = None,
) -> None:
    """Say what becomes of what a question's resolvers find. Without it what is found is confirmed.

    Those that disagree never resolve a question: each outcome is proposed, with who said what.
    """
    from forecasts.ledger.database import writing
    from forecasts.ledger.models import PolicyKind
    from forecasts.questions import registry
    from forecasts.resolution import assignments

    one_of("The policy", decides, [str(known) for known in PolicyKind])
    chosen, moment = settings(database, member), now()
    with writing(ledger(chosen)) as session:
        row = assignments.decide_by(
            session,
            registry.find(session, question),
            PolicyKind(decides),
            agreeing=agreeing,
            dispute_days=dispute_days,
            member=acting(session, chosen, now=moment),
            now=moment,
        )
    said = f"{row.kind}, {row.agreeing} have to agree" if agreeing else f"{row.kind}"
    days = f"; disputes for {row.dispute_days:g} days" if row.dispute_days else ""
    out().print(printable(f"{question}: {said}{days}"))


@resolver.command()
def evidence(
    question: QuestionSlug,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write what is kept into this folder."),
    ] = None,
    database: Database = None,
    member: Member = None,
) -> None:
    """Show what the resolvers of a question were shown when they found its outcome, and keep it."""
    from forecasts.questions import registry
    from forecasts.resolution import kept_evidence

    with reading_as(settings(database, member)) as (session, _):
        shown = kept_evidence.kept(session, registry.find(session, question))
    console = out()
    for one in shown:
        row = one.exhibit
        console.print(printable(f"{to_minute(row.at)}  {row.address}"))
        kept = "" if one.data is not None else "; too large to be kept"
        console.print(printable(f"  {row.size:,} bytes, SHA-256 {row.sha256}{kept}"))
    for path in [] if folder is None else kept_evidence.save(shown, folder):
        console.print(printable(f"wrote {path}"))


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
    from forecasts.questions import registry, standing
    from forecasts.resolution import resolutions
    from forecasts.resolution.runs import run

    chosen, moment = settings(database), now()
    engine = ledger_to_read(chosen)
    with reading_as(chosen, engine) as (session, _):
        # It is looked at for who may see it.
        state = standing.current_state(session, registry.find(session, question), now=moment)
    said = run.look(engine, question, now=moment, allow_private=chosen.allow_private_addresses)
    if len(said) == 1 and isinstance(said[0].error, LedgerError):
        raise said[0].error
    console = out()
    for one in said:
        which = f"{one.resolver.kind}: " if len(said) > 1 else ""
        if one.finding is None:
            console.print(printable(f"{question}: {which}{one.message}"))
            continue
        found = one.finding
        try:
            resolutions.possible(state.text, question, found.outcome, found.known_at, moment)
            resolutions.require_within(state.text, found.outcome)
        except LedgerError as error:
            if len(said) == 1:
                raise
            console.print(printable(f"{question}: {which}{error}"))
            continue
        known = f"{found.outcome}, known at {to_minute(found.known_at)}"
        console.print(printable(f"{question}: {which}{known}"))
        for line in (found.source, *found.note.splitlines()):
            if line:
                console.print(printable(f"  {line}"))
        for seen in found.seen:
            size = f"{len(seen.content):,} bytes"
            console.print(printable(f"  seen: {seen.address}, {size}, {seen.sha256}"))
