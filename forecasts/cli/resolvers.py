"""The commands for resolvers: kinds, set, add, remove, policy, evidence, try, scoreboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from typer.core import TyperCommand

from forecasts.cli.console import one_of, when
from forecasts.cli.options import QuestionSlug, TextOrJson, argument, option
from forecasts.cli.printing import print_line, print_lines, print_note, printed_json
from forecasts.cli.root import group
from forecasts.cli.session import acting_on, ledger_to_read, reading_as, settings
from forecasts.common import permitted_sources
from forecasts.common.errors import BadInput, LedgerError
from forecasts.common.secret_addresses import keys_in
from forecasts.common.text import count
from forecasts.ledger.models import PolicyKind
from forecasts.questions import registry, standing
from forecasts.resolution import assignments, kept_evidence, proposals
from forecasts.resolution.resolvers import kinds as resolver_kinds
from forecasts.resolution.resolvers.kinds import kind, names
from forecasts.resolution.resolvers.protocol import Kind as ResolverKind
from forecasts.resolution.runs import run
from forecasts.resolution.scoreboard import scoreboard
from forecasts.views import runs as views
from forecasts.views.runs import KeptDocument, KeptEvidence, ResolverAnswer, resolver_answer

resolver = group("resolver", help="Manage a question's resolvers, which look up its outcome.")


@resolver.command(cls=TyperCommand)
def kinds(
    name: Annotated[str | None, argument("KIND", "Only this kind. [default: all]")] = None,
    format_: TextOrJson = "text",
) -> None:
    """List the kinds of resolvers and their settings."""
    described = []
    for each in names() if name is None else [name]:
        try:
            described.append(_described(each, kind(each)))
        except BadInput as error:
            if name is not None:
                raise
            print_note(f"{each}: {error.message}")
    if printed_json(format_, described):
        return
    for one in described:
        proposes = " It only proposes." if one.only_proposes else ""
        quorum = " It counts in a quorum only, beside another." if one.is_model else ""
        print_line(f"{one.kind}: {one.description}{proposes}{quorum}")
        for setting in one.settings:
            default = setting.default
            is_blank = default is None or default in ((), {}, "")
            optional = "optional" if is_blank else f"default: {json.dumps(default)}"
            shown = "required" if setting.required else optional
            print_line(f"  {setting.name}: {setting.description} [{shown}]")


def _described(name: str, found: ResolverKind) -> views.ResolverKind:
    """Return a kind with its settings."""
    return views.ResolverKind(
        kind=name,
        description=" ".join((found.settings.__doc__ or "").split()),
        only_proposes=found.only_proposes,
        is_model=found.is_model,
        settings=[
            views.ResolverSetting(
                name=name,
                description=field.description or "",
                required=(required := field.is_required()),
                default=None if required else field.get_default(call_default_factory=True),
            )
            for name, field in found.settings.model_fields.items()
        ],
    )


Kind = Annotated[str, argument("KIND", "See: forecasts resolver kinds.")]
With = Annotated[
    list[str] | None,
    option(
        "NAME=VALUE",
        "A setting of the kind; repeat for each. Lists and objects are JSON.",
        "--with",
    ),
]


@resolver.command("set")
def set_(question: QuestionSlug, kind: Kind, given: With = None) -> None:
    """Set a question's resolver, replacing any others. Its settings are checked now."""
    _attach(question, kind, given, beside=False)


@resolver.command()
def add(question: QuestionSlug, kind: Kind, given: With = None) -> None:
    """Add another resolver to a question, for example for a quorum."""
    _attach(question, kind, given, beside=True)


@resolver.command()
def remove(question: QuestionSlug) -> None:
    """Remove a question's resolvers. Past lookups are kept."""
    with acting_on(question) as (session, found, who, now):
        removed = count(assignments.detach(session, found, member=who, now=now), "resolver")
    print_line(f"{question}: {removed} removed; it is no longer checked automatically")


def _attach(question: str, kind: str, given: list[str] | None, *, beside: bool) -> None:

    with acting_on(question) as (session, found, who, now):
        attached = assignments.attach(
            session, found, kind, _settings(given or []), member=who, now=now, beside=beside
        )
        stored, places = attached.settings, resolver_kinds.kind(kind).places
    print_line(f"{question}: resolved by {kind}")
    print_lines(f"  {name}: {json.dumps(stored[name], ensure_ascii=False)}" for name in stored)
    for name in places:
        if stored.get(name) is not None:
            _warn(stored[name])


def _warn(address: str) -> None:
    """Warn of a key in a resolver's address, and of a file that does not exist."""
    for name in keys_in(address):
        print_note(
            f"Warning: {name} in that address looks like a key. It is stored for good, and shown "
            "to everyone who may see the question."
        )
    if not permitted_sources.is_page(address) and not Path(address).exists():
        print_note(f"There is no file {address} yet. Runs try again until there is.")


@resolver.command()
def policy(
    question: QuestionSlug,
    decides: Annotated[
        str,
        argument(
            "POLICY",
            "propose (a person decides), confirm (at once) or quorum (once several agree).",
        ),
    ],
    agreeing: Annotated[int | None, option("N", "For a quorum: resolvers that must agree.")] = None,
    dispute_days: Annotated[
        float,
        option(
            "DAYS", "Days in which a resolution can be disputed and its scores are provisional."
        ),
    ] = 0,
) -> None:
    """Set how a question's resolvers decide. The default is confirm.

    Resolvers that disagree never resolve a question: each outcome is proposed, with its sources.
    """
    one_of("The policy", decides, [str(known) for known in PolicyKind])
    with acting_on(question) as (session, found, who, now):
        row = assignments.set_policy(
            session,
            found,
            PolicyKind(decides),
            agreeing=agreeing,
            dispute_days=dispute_days,
            member=who,
            now=now,
        )
    quorum = f", {row.agreeing} must agree" if agreeing else ""
    days = f"; can be disputed for {row.dispute_days:g} days" if row.dispute_days else ""
    print_line(f"{question}: {row.kind}{quorum}{days}")


@resolver.command()
def evidence(
    question: QuestionSlug,
    folder: Annotated[
        Path | None, option("FOLDER", "Save the kept evidence to this folder.", "--out")
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Show or save the evidence behind the resolvers' findings."""
    with reading_as() as (session, _, _):
        exhibits = kept_evidence.kept(session, registry.find(session, question))
    written = [] if folder is None else kept_evidence.save(exhibits, folder)
    documents = [KeptDocument.of(one.exhibit, kept=one.data is not None) for one in exhibits]
    files = [str(path) for path in written]
    if printed_json(format_, KeptEvidence(evidence=documents, files=files)):
        return
    for one in documents:
        print_line(f"{when(one.at)}  {one.address}")
        kept = "" if one.kept else "; too large to keep"
        print_line(f"  {one.size:,} bytes, SHA-256 {one.sha256}{kept}")
    print_lines(f"wrote {file}" for file in files)


def _settings(given: list[str]) -> dict[str, Any]:
    """Return the settings by name. JSON lists and objects are parsed; the rest is text."""
    read: dict[str, Any] = {}
    for each in given:
        name, equals, value = (part.strip() for part in each.partition("="))
        if not equals or not name:
            raise BadInput(f"{each!r} is not a setting.", remedy="Write --with NAME=VALUE.")
        if name in read:
            raise BadInput(f"The setting {name!r} is given twice.")
        read[name] = value
        if value[:1] in ("[", "{"):
            try:
                read[name] = json.loads(value)
            except ValueError as error:
                raise BadInput(f"The setting {name!r} is not valid JSON: {error}.") from None
    return read


@resolver.command("scoreboard")
def board(format_: TextOrJson = "text") -> None:
    """List how often each kind of resolver was right."""
    with reading_as() as (session, _, now):
        found = scoreboard(session, now=now)
    if printed_json(format_, map(views.ResolverRecordView.of, found)):
        return
    if not found:
        print_line("No question with a resolver has an outcome yet.")
        return
    for one in found:
        print_line(f"{one.kind}, {one.type}: {views.record_line(one)}")


@resolver.command("try")
def try_(question: QuestionSlug, format_: TextOrJson = "text") -> None:
    """Try a question's resolvers now. Nothing is stored."""
    chosen = settings()
    engine = ledger_to_read(chosen)
    with reading_as(engine=engine) as (session, _, now):
        # The lookup itself reads for nobody, so check first that the member may see the question.
        state = standing.current_state(session, registry.find(session, question), now=now)
    answers = run.look(engine, question, now=now, allow_private=chosen.allow_private_addresses)
    if len(answers) == 1 and isinstance(answers[0].error, LedgerError):
        raise answers[0].error
    tried: list[ResolverAnswer] = []
    for answer in answers:
        found, message = answer.finding, answer.message
        if found is not None:
            try:
                proposals.require_possible(state.text, question, found.outcome, found.known_at, now)
                proposals.require_within_bounds(state.text, found.outcome)
            except LedgerError as error:
                if len(answers) == 1:
                    raise
                found, message = None, str(error)
        tried.append(resolver_answer(answer.resolver.kind, found, message))
    if printed_json(format_, tried):
        return
    for one in tried:
        which = f"{one.kind}: " if len(tried) > 1 else ""
        if one.outcome is None or one.known_at is None:
            print_line(f"{question}: {which}{one.message}")
            continue
        print_line(f"{question}: {which}{one.outcome}, known at {when(one.known_at)}")
        print_lines(f"  {line}" for line in (one.source, *one.note.splitlines()) if line)
        print_lines(f"  seen: {s.address}, {s.size:,} bytes, {s.sha256}" for s in one.seen)
