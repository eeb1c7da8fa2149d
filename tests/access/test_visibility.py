"""Access of every role to every verb, in every place and on every kind of question.

Verbs are found in the code. A new one fails here until it is in ``CASES``, with the action it
needs, or in ``OPEN``, with the reason why everyone may call it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

import forecasts
from forecasts.access import members, memberships, roles, teams, tokens
from forecasts.access import visibility as access_visibility
from forecasts.access.roles import Action
from forecasts.agenda import revisits, today
from forecasts.agenda.notifications import due, message
from forecasts.api.metaculus import posts
from forecasts.articles import library
from forecasts.common.errors import Forbidden, NotFound, Refused
from forecasts.common.settings import sqlite_url
from forecasts.exporting import export
from forecasts.folder.folder import read_folder
from forecasts.folder.frames import Frames, complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import (
    Appointment,
    Channel,
    Dispute,
    Event,
    Exhibit,
    Forecast,
    Member,
    PolicyKind,
    Question,
    QuestionText,
    Resolution,
    ResolutionState,
    Role,
    Visibility,
    Watch,
)
from forecasts.operations import privacy
from forecasts.parts.export import export_parts
from forecasts.questions import finality, passages, registry, revisions, search, trends
from forecasts.questions import standing as question_standing
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import (
    assignments,
    confirmation,
    disputes,
    history,
    kept_evidence,
    progress,
    proposals,
)
from forecasts.resolution.resolvers.protocol import Seen
from forecasts.samples import practice
from forecasts.scores import forecast_columns, paths, stored_scores
from forecasts.scores.ledger_frames import (
    forecast_frame,
    ledger_frames,
    scoring_frames,
    table_batches,
)
from forecasts.scores.scored_questions import explained, scored_questions
from forecasts.updates import bulk, comments, evidence, model_uses, updates
from forecasts.updates.ask import ask
from forecasts.updates.bulk import BulkAction
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import day

pytestmark = pytest.mark.slow

# Verbs that everyone may call, by the reason.
OPEN = {
    "handles, kinds, owners, memberships and teams are visible to everyone": """
        access.kinds.accounts access.kinds.crowd access.kinds.forecaster_kinds
        access.members.find_member access.members.handle_of access.members.handles
        access.members.kind_of access.members.member_named access.memberships.active_membership
        access.memberships.before_joining access.memberships.current_memberships
        access.memberships.entered_later access.memberships.members_with_role
        access.memberships.memberships_of access.memberships.same_membership
        access.memberships.stays_entered_later access.memberships.team_members
        access.memberships.team_names access.roles.admins access.roles.appointments
        access.teams.find access.teams.listing access.teams.members_page
        access.teams.roster access.tokens.bots_of access.tokens.owner_of api.metaculus.posts.account
        importing.accounts.doubtful_names
    """,
    "is the check": """
        access.roles.appointed_role access.roles.has_scope access.roles.is_shared
        access.roles.member_rights access.roles.require access.roles.require_own_name
        access.roles.require_scope access.teams.needs_second_resolver
        access.teams.require_second_resolver access.tokens.require_name_suffices
        access.visibility.evidence_visible access.visibility.forecast_visible
        access.visibility.is_visible access.visibility.question_visible
        access.visibility.reader_rights access.visibility.require_visible
        articles.library.require_capture
    """,
    "does nothing in a shared ledger": "access.roles.ensure_admin",
    "the member's own": """
        access.idempotency.keep_answer access.idempotency.kept_answer access.identities.end_session
        access.identities.has_ended access.preferences.preferences
        access.preferences.set_preferences access.tokens.own_account
        access.visibility.crowd_is_hidden agenda.calendar_feed.create agenda.calendar_feed.revoke
        agenda.notifications.channels.add agenda.notifications.channels.change
        agenda.notifications.channels.find agenda.notifications.channels.listing
        agenda.notifications.channels.remove agenda.notifications.sender.resend
        agenda.revisits.distinct_days agenda.revisits.intervals agenda.revisits.mark_seen
        agenda.revisits.seen_until questions.standing.last_registered
    """,
    "narrows what the session reads": "access.visibility.reading_publicly",
    "a cache, computed from the ledger": """
        access.visibility.reading_everything scores.scores.rebuild scores.scores.store
    """,
    "about the database, the file, the server or the chain, not the content": """
        access.roles.is_shared_ledger access.tokens.has_sign_in access.tokens.is_database_owner
        ledger.clock.act_time ledger.clock.ledger_clock ledger.clock.newest_time
        ledger.clock.require_not_behind ledger.clock.time_of_turn ledger.database.give_way
        ledger.database.prepare_sqlite ledger.driver_errors.reported ledger.malformed.explaining
        ledger.moved.moved_to ledger.raw_rows.ends
        ledger.raw_rows.read ledger.raw_rows.rows_between ledger.raw_rows.rows_outside
        ledger.receipts.ledger_id ledger.schema.require_known ledger.schema.require_ready
        ledger.schema.schema_revision ledger.urls.address ledger.urls.place ledger.urls.sqlite_path
        ledger.verification.newest operations.backup.on_a_server operations.digests.claim
        operations.digests.send operations.health.check_file operations.health.check
        operations.health.check_routine operations.health.check_server
        operations.stamps.folder_of_proofs operations.upkeep.find operations.upkeep.record
        operations.upkeep.rows resolution.progress.run_times
        samples.demonstration.is_demonstration scores.ledger_frames.revision
    """,
    "called by verbs that have checked": """
        access.memberships.join access.memberships.team_or_new
        access.memberships.write_stay access.teams.visibility_fields
        access.tokens.issue access.visibility.audience_label api.metaculus.posts.posted_comment
        ledger.append.append ledger.append.delete ledger.append.enter ledger.append.enter_flushed
        ledger.append.undo ledger.append.written ledger.current.newest_wording ledger.facts.known
        ledger.facts.undo questions.registry.insert_questions questions.registry.others_see
        questions.revisions.append_wording questions.revisions.close_by_hand
        questions.standing.rows_with resolution.assignments.schedule_lookup
        resolution.proposals.require_undecided
        updates.model_uses.record_models
    """,
    "names the member who acts or reads": """
        access.identities.admit access.identities.member_of access.members.member_or_new
        access.roles.limit_scopes access.tokens.acting_handle access.tokens.acting_member
        access.tokens.held access.tokens.reading_member access.visibility.read_as
        access.visibility.reader_id ledger.database.reading ledger.database.writing
    """,
    "only what its verbs show": """
        api.metaculus.posts.question_posts views.articles.document views.forecasts.forecasts
        views.questions.document views.questions.whole_question
    """,
    "the API, whose requests name their callers": "api.server.build",
    "the forecast that its member has just made": "views.forecasts.new_forecast",
    "articles are visible to everyone": """
        articles.library.find_article articles.library.listing questions.passages.find_passage
        updates.evidence.article_by_address updates.evidence_parsing.parse_evidence
        updates.evidence_parsing.read_evidence
    """,
    "a number": """
        agenda.notifications.sender.undelivered publication.record.outside_the_team
        questions.families.judgements resolution.late_forecasts.late_forecasts
        resolution.late_forecasts.made_between resolution.runs.run.waiting
    """,
    "asks for each question: test_families": """
        questions.families.join_family questions.families.leave_family
    """,
    "as join_family": "questions.families.join_pairs",
    "only what the reader may see: test_families": "questions.same_questions.same_pairs",
    "asks for one of the questions: test_families": "questions.families.tell_apart",
    "as tell_apart": "questions.families.tell_pairs_apart",
    "only what the reader may see: the condition is in it": """
        questions.origins.origins questions.origins.platforms
    """,
    "only what the reader may see: test_printed_scores": "scores.printed_scores.printed_scores",
    "as printed_scores": "scores.printed_scores.printed_by_question",
    "only what the reader may see: test_same_questions": """
        questions.same_questions.find_duplicates questions.same_questions.ready_drafts
    """,
    "whether anything is visible: see test_today": "agenda.today.is_empty",
    "own forecasts, beside visible ones: see test_crowd_moves": "agenda.crowd_moves.crowd_moves",
    "for the owner of the database, who has everything": """
        access.identities.link_identity ledger.moved.mark ledger.moved.unmark ledger.receipts.check
        ledger.schema.make_ready ledger.schema.migrate ledger.verification.verify
        operations.backup.back_up operations.backup.restore operations.privacy.sweep
        operations.transfer.finish operations.transfer.move operations.transfer.reopen
        samples.demonstration.walk
        scores.scores.compare
    """,
    "called by runs, for the resolver's owner": """
        resolution.kept_evidence.keep resolution.runs.recording.outdated
        resolution.runs.recording.propose_correction resolution.progress.record_run
        resolution.runs.recording.run_member
        resolution.runs.run.look resolution.runs.run.run resolution.runs.recording.downgraded
        resolution.runs.recording.new_findings
    """,
    "shows questions visible to the member: see test_calendar_feed": "agenda.calendar_feed.feed",
    "keys are public, and the rest is not shown": """
        access.tokens.listing agenda.calendar_feed.current_token
    """,
    "part of an import, which has checked": """
        access.members.members_or_new importing.accounts.as_member
        importing.forecasts.compare_forecasts
        importing.forecasts.write_forecasts importing.frames.compare_frames
        importing.frames.write_frames importing.memberships.compare_memberships
        importing.memberships.write_memberships importing.origins.write_origins
        importing.origins.new_printed_scores
        importing.origins.write_printed_scores importing.origins.names_here
        importing.questions.compare_questions importing.questions.write_questions
        importing.record.import_record
        importing.sources.compare_articles importing.sources.compare_evidence
        importing.sources.write_evidence importing.undated.with_known_times
    """,
    "the salt stays in the ledger; an alias keeps its secret": "importing.aliases.aliases",
    "visible articles and the member's own forecasts": "agenda.news.new_mentions",
    "sends each member only visible events": "agenda.notifications.sender.send",
    "the author's own: see test_discards": """
        questions.discards.discard questions.discards.may_discard
    """,
    "an ID is taken even by a question that is hidden": "questions.registry.require_new_slugs",
    "only evidence that the reader may see": "updates.evidence.key_and_row",
    "the teams that register would allow": "access.teams.teams_to_ask_in",
    "only what the reader sees: its tests": "exporting.export.write_question_files",
    "how exports read: test_export, and the cases of exports here": "exporting.export.reading",
    "only what the reader sees, as exported": "exporting.export.export_as",
    "as export_as": "exporting.export.packed_as",
    "only what the reader sees, as write_export": "exporting.export.packed_folder",
    "counts forecasts that the reader may see": "importing.accounts.whose",
    "of the forecasts of published: test_record": "publication.record.evidence_of",
    "on the questions of published: test_secrets": "publication.record.questions_with_secrets",
    "asks whose record it is: test_publish": "publication.publish.publish",
    "as publish, which asks: test_publish": "publication.publish.publish_as_zip",
    "only what everyone may see: test_record": "publication.record.published",
    "rows of published's record alone: test_proof": "publication.proof.record_json",
    "only questions that the member has forecast": "accounts.accounts.settled",
    "only forecasts that the reader may see": "publication.forecast_proofs.write_proofs",
    "hashes of a forecast that its caller has written or may see": "ledger.receipts.receipt",
    "hashes of forecasts that their caller has written or may see": "ledger.receipts.receipts",
    "checks that the forecast is the member's own": "updates.evidence.cite",
    "as visible as its caller asks": "ledger.current.in_order",
}

P = Value(probability=0.4)
NOW = day(2)
WHERE = ("own team", "other team", "no team", "author")
RAIN = CapturedArticle("The quay", None, None, None, "https://example.org/q", "The quay will open.")


def verbs() -> dict[str, Callable[..., Any]]:
    """Return every public function of ``forecasts`` that takes a session or an engine."""
    found = {}
    for module in pkgutil.walk_packages(forecasts.__path__, "forecasts."):
        name = module.name.removeprefix("forecasts.")
        if name.startswith(("cli", "ledger.migrations")):
            continue
        for public, function in vars(importlib.import_module(module.name)).items():
            if public.startswith("_") or getattr(function, "__module__", "") != module.name:
                continue
            if not inspect.isfunction(function):
                continue
            takes = {str(p.annotation) for p in inspect.signature(function).parameters.values()}
            if takes & {"Session", "orm.Session", "Engine"}:
                found[f"{name}.{public}"] = function
    return found


@dataclass(frozen=True)
class Cell:
    """A member and a question of team Alder, open or resolved."""

    session: Session
    member: Member
    question: Question
    visibility: Visibility

    @property
    def resolution(self) -> Resolution:
        return resolutions_of(self.session, self.question, ResolutionState.confirmed)

    @property
    def proposal(self) -> Resolution:
        return resolutions_of(self.session, self.question, ResolutionState.proposed)

    @property
    def here(self) -> dict[str, Any]:
        return {"member": self.member, "now": NOW}


def resolutions_of(session: Session, question: Question, state: ResolutionState) -> Resolution:
    return session.exec(
        select(Resolution).where(Resolution.question_id == question.id, Resolution.state == state)
    ).one()


@dataclass(frozen=True)
class Case:
    """A verb, the action it needs, and its call; one that reads returns whether it saw it."""

    verb: Callable[..., Any]
    action: Action
    call: Callable[[Cell], Any]
    on: str = "question"  # or "resolved", "team", "ledger"
    also: tuple[Callable[..., Any], ...] = ()  # other verbs that the call tests

    @property
    def names(self) -> list[str]:
        verbs = (self.verb, *self.also)
        return [f"{verb.__module__}.{verb.__name__}".removeprefix("forecasts.") for verb in verbs]


def shown(
    verb: Callable[..., Any], *, on: str = "question", of: str = "question", **named: Any
) -> Case:
    """Return the case of a verb that shows a question, or what the cell has ``of`` it."""
    return Case(verb, Action.see, lambda c: verb(c.session, getattr(c, of), **named), on)


def act_on(
    action: Action,
    verb: Callable[..., Any],
    *given: Any,
    on: str = "question",
    of: str = "question",
    **named: Any,
) -> Case:
    """Return the case of an act on a question, or what the cell has ``of`` it."""

    def call(c: Cell) -> Any:
        return verb(c.session, getattr(c, of), *given, **named, **c.here)

    return Case(verb, action, call, on)


def in_ledger(action: Action, verb: Callable[..., Any], *given: Any) -> Case:
    """Return the case of an act on no question."""
    return Case(verb, action, lambda c: verb(c.session, *given, **c.here), on="ledger")


def lists(
    verb: Callable[..., Any],
    slugs: Callable[[Session, Member], Collection[str]],
    *also: Callable[..., Any],
    on: str = "question",
) -> Case:
    """Return the case of verbs on many questions: whether this question is ``among`` them."""
    return Case(verb, Action.see, among(slugs), on, also)


def not_refused(cell: Cell) -> Any:
    given = [updates.NewForecast(cell.question, P)]
    for error in updates.refusals(cell.session, given, **cell.here):
        if error is not None:
            raise error
    return True


def forecast_of_anna(cell: Cell) -> Forecast:
    by = anna(cell.session)
    mine = Forecast.question_id == cell.question.id, Forecast.member_id == by.id
    return cell.session.exec(select(Forecast).where(*mine)).one()


def anna(session: Session) -> Member:
    return members.member_named(session, "anna")


def adopted(cell: Cell) -> Any:
    model = members.member_or_new(cell.session, "a model", now=NOW)
    return tokens.adopt(cell.session, model.handle, owner=cell.member, **cell.here)


def found_anna(cell: Cell) -> Any:
    try:
        return updates.find_forecast(cell.session, forecast_of_anna(cell).id)
    except NotFound:
        return False


def model_of_anna(cell: Cell) -> Any:
    id_ = forecast_of_anna(cell).id
    model_uses.record_models(cell.session, [(id_, model_uses.Model("oracle"))])
    return model_uses.models_of(cell.session, cell.question)


def names_the_model(cell: Cell) -> bool:
    id_ = forecast_of_anna(cell).id
    model_uses.record_models(cell.session, [(id_, model_uses.Model(cell.question.slug))])
    return cell.question.slug in model_uses.known_models(cell.session)


def in_team(
    action: Action,
    verb: Callable[..., Any],
    subject: str = "",
    *given: Any,
    on: str = "team",
    **named: Any,
) -> Case:
    """Return the case of an act in team Alder, on a member if one is named."""

    def call(c: Cell) -> Any:
        whom = [members.member_named(c.session, subject)] if subject else []
        return verb(c.session, teams.find(c.session, "Alder"), *whom, *given, **named, **c.here)

    return Case(verb, action, call, on)


def steps(cell: Cell) -> int:
    text = registry.newest_wording(cell.session, cell.question)
    return len(paths.paths(cell.session, cell.question, text, now=NOW).steps)


def _import(cell: Cell, **fields: Any) -> Any:
    import pandas as pd

    given = {
        "question_id": [cell.question.slug],
        "title": [cell.question.slug],
        "type": ["binary"],
        "open_time": [day(0)],
        "scheduled_close_time": [day(10)],
    }
    forecasts = {"question_id": [cell.question.slug], "made_at": [day(1)], "probability": [0.2]}
    handle = fields.pop("handle", cell.member.handle)
    frames = complete(
        pd.DataFrame(given | fields), pd.DataFrame(forecasts | {"forecaster": [handle]})
    )
    return import_frames(cell.session, frames, **cell.here)


def among(slugs: Callable[[Session, Member], Collection[str]]) -> Callable[[Cell], bool]:
    """Return a call of a verb on many questions: whether this question is among them.

    The verb is called once per member, since its result is the same for every question.
    """

    def call(cell: Cell) -> bool:
        found = cell.session.info.setdefault(slugs, {})
        if cell.member.id not in found:
            found[cell.member.id] = slugs(cell.session, cell.member)
        return cell.question.slug in found[cell.member.id]

    return call


def listed(session: Session, _member: Member) -> list[str]:
    found = question_standing.listing(session, now=NOW)
    assert found == question_standing.listing(
        session, now=NOW, only=[state.slug for state in found]
    )
    return [state.slug for state in found]


def outlined(session: Session, member: Member) -> list[str]:
    ids = {outline.id for outline in question_standing.outlines(session)}
    return [one.slug for one in question_standing.listing(session, now=NOW) if one.id in ids]


def of_article(session: Session, _member: Member) -> list[str]:
    """Return the article's questions; the counts equal the number of visible ones."""
    article = library.find_article(session, 1)
    seen = [state.slug for _, state in passages.questions_from(session, article, now=NOW)]
    [(_, count)] = library.article_page(session).articles
    assert library.question_counts(session)[1] == count == len(seen)
    return seen


def on_today(session: Session, member: Member) -> list[str]:
    found = today.today(session, member, now=NOW, shown=1_000)
    lists = (found.to_forecast, found.awaiting, found.disputed, found.parked)
    return [state.slug for some in lists for state in some.first]


def by_number(session: Session, _member: Member) -> list[str]:
    every = [id_ for id_ in session.exec(select(Question.id)) if id_ is not None]
    return [state.slug for state in question_standing.by_id(session, every, now=NOW).values()]


def to_be_told(cell: Cell) -> bool:
    """Return whether the member is notified of a proposal, else whether they may decide it."""

    def told(session: Session, member: Member) -> list[str]:
        found = due.due(session, _channel(member, Event.decision), now=NOW)
        return slugs_of(session, {id_ for _, id_, _ in found})

    if among(told)(cell):
        return True
    roles.require(cell.session, cell.member, A.resolve, cell.question, now=NOW)
    return False


def said(session: Session, member: Member) -> list[str]:
    """Return the questions in a message about all questions."""
    everything = [(Event.closing, id_, NOW) for id_ in session.exec(select(Question.id)) if id_]
    _, moot = message.compose(session, member, everything, now=NOW)
    return slugs_of(session, {one[1] for one in everything if one not in moot})


def _channel(member: Member, event: Event) -> Channel:
    assert member.id is not None
    return Channel(
        id=0,
        member_id=member.id,
        name="phone",
        secret_url="",
        events=[event],
        days_before_close=30,
        days_until_stale=1,
        recorded_at=day(0),
    )


def proposed(session: Session, _member: Member) -> list[str]:
    """Return visible proposals, which an export counts as left out."""
    seen = [question.slug for _, question in proposals.open_proposals(session)]
    said = [words for words in export.left_out(session) if "proposal" in words]
    assert said[0].startswith(f"{len(seen)} ")
    return seen


def held(frames: Frames) -> set[str]:
    noted = {note.removeprefix("note on ") for note in frames.evidence["note"]}
    asked = set(frames.questions["question_id"])
    assert noted == asked == set(frames.forecasts["question_id"])
    return noted


def written_out(session: Session, member: Member) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        export.write_export(session, Path(folder) / "out", member=member, now=NOW)
        return held(read_folder(Path(folder) / "out"))


def in_parts(session: Session, member: Member) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        made, _ = export_parts(session, Path(folder) / "out", member=member, now=NOW)
        found = [made.questions(part)["question_id"] for part in range(made.count)]
        said = [made.forecasts(part)["question_id"] for part in range(made.count)]
    return {slug for slugs in found + said for slug in slugs}


def scored(session: Session, _member: Member) -> set[str]:
    asked, said = (set(frame["question_id"]) for frame in scoring_frames(session))
    assert asked == said
    return asked


def scored_of_anna(session: Session, _member: Member) -> list[str]:
    """Return her scored questions, which are explained, and whose scores are listed."""
    found = [one.state.slug for one in scored_questions(session, anna(session))]
    scores = stored_scores.member_scores(session, anna(session), limit=100)
    assert [state.slug for state, _ in scores] == found
    assert [one.state.slug for one in explained(session, anna(session), scores)] == found
    return found


def paged(session: Session, member: Member) -> list[str]:
    """Return the questions on all pages, which also state their number."""
    pages = [search.page(session, search.Filter(), member=member, now=NOW)]
    for number in range(2, pages[0].pages + 1):
        pages.append(search.page(session, search.Filter(), member=member, now=NOW, number=number))
    found = [row.state.slug for one in pages for row in one.rows]
    assert {(one.matching, one.total) for one in pages} == {(len(found), len(found))}
    return found


def found(call: Callable[[Cell], Any]) -> Callable[[Cell], bool]:
    """Return a call of a verb that finds a question by its number: whether it finds this one."""

    def finds(cell: Cell) -> bool:
        try:
            return bool(call(cell))
        except NotFound as error:
            if error.message != roles.question_not_found(str(cell.question.id)).message:
                raise
            return False

    return finds


def posted(session: Session, member: Member) -> list[str]:
    asked = posts.Asked(limit=posts.MOST)
    pages, count = [], 1
    while asked.offset < count:
        found, count = posts.page(session, asked, member=member, now=NOW)
        pages += found
        asked.offset += posts.MOST
    return [post["slug"] for post in pages]


def state_of(session: Session, question: Question) -> question_standing.QuestionState:
    """Return the state of a question regardless of the reader, since the verb checks that."""
    with access_visibility.reading_everything(session):
        return question_standing.current_state(session, question, now=NOW)


def steps_of_options(cell: Cell) -> int:
    text = registry.question_text(
        title="Which?",
        type="multiple_choice",
        options=["yes", "no"],
        open_time=day(0),
        scheduled_close_time=day(10),
    )
    one, _ = paths.option_paths(cell.session, cell.question, text, now=NOW)
    return len(one.steps)


def _disputes(session: Session, resolutions: Collection[Resolution]) -> None:
    for row in resolutions:
        by = row.member_id or 0
        session.add(Dispute(resolution_id=row.id or 0, member_id=by, recorded_at=NOW))
    session.flush()


def disputed(session: Session, _member: Member) -> list[str]:
    confirmed = select(Resolution).where(Resolution.state == ResolutionState.confirmed)
    _disputes(session, session.exec(confirmed).all())
    found = [question.slug for _, _, question in disputes.open_disputes(session)]
    assert found
    return found


def upholds(cell: Cell) -> Any:
    _disputes(cell.session, [cell.resolution])
    return disputes.uphold(cell.session, cell.question, **cell.here)


def past_disputes(cell: Cell) -> Any:
    _disputes(cell.session, [cell.resolution])
    assert proposals.by_resolution(cell.session, cell.question, Exhibit)
    return proposals.by_resolution(cell.session, cell.question, Dispute)


def provisional(session: Session, _member: Member) -> list[str]:
    found = finality.provisional_outcomes(session, now=NOW)
    assert finality.dispute_deadlines(session).keys() == found.keys()
    return slugs_of(session, found)


def parked(session: Session, _member: Member) -> list[str]:
    session.execute(update(Watch).values(parked_at=NOW))
    found = [one.slug for one in progress.parked(session)]
    assert found == [one.slug for one in progress.progress(session, limit=1_000).parked]
    with_ids = select(Question.slug).where(col(Question.id).in_(progress.parked_ids(session)))
    assert sorted(session.exec(with_ids)) == sorted(found)
    return found


def due_next(session: Session, _member: Member) -> list[str]:
    found = progress.progress(session, limit=1_000)
    assert found.watched == len(found.next)
    return [one.slug for one in found.next]


def shown_exhibit(cell: Cell) -> Any:
    exhibit = cell.session.exec(
        select(Exhibit).where(Exhibit.resolution_id == cell.resolution.id)
    ).one()
    return kept_evidence.content(cell.session, exhibit)


SNOW = registry.question_text(
    title="Will it snow?",
    open_time=NOW,
    scheduled_close_time=day(10),
    resolution_criteria="As the gauge says.",
)


def in_alder(cell: Cell) -> QuestionText:
    return SNOW.model_copy(update=teams.visibility_fields(cell.session, "Alder"))


def forecasted(cell: Cell) -> Forecast:
    return updates.update(cell.session, cell.question, P, **cell.here).forecast


def tagging(cell: Cell) -> tuple[Session, BulkAction, str, list[str]]:
    return cell.session, BulkAction.tag, "new", [cell.question.slug]


def slugs_of(session: Session, ids: Collection[int]) -> list[str]:
    return list(session.exec(select(Question.slug).where(col(Question.id).in_(ids))))


A = Action
EVERY_CASE = (
    lists(
        access_visibility.forecaster_handles,
        lambda s, _: [h.removeprefix("solo ") for h in access_visibility.forecaster_handles(s)],
    ),
    shown(history.steps),
    Case(
        revisits.confirm_forecasts,
        A.forecast,
        lambda c: revisits.confirm_forecasts(c.session, [forecasted(c)], origin="x", **c.here) or 1,
    ),
    Case(
        revisits.set_interval,
        A.see,
        lambda c: revisits.set_interval(c.session, 3, question=c.question, **c.here),
    ),
    lists(passages.questions_from, of_article, library.question_counts, library.article_page),
    Case(
        library.store,
        A.capture,
        lambda c: library.store(c.session, [RAIN], member=c.member, captured_at=NOW),
        on="ledger",
    ),
    lists(finality.provisional_outcomes, provisional, finality.dispute_deadlines, on="resolved"),
    act_on(A.dispute, disputes.dispute, reason="no", on="resolved"),
    lists(disputes.open_disputes, disputed, on="resolved"),
    shown(finality.provisional_outcome, on="resolved", now=NOW),
    Case(disputes.uphold, A.resolve, upholds, on="resolved"),
    lists(export.exported, lambda s, member: held(export.exported(s, member=member, now=NOW)[0])),
    lists(export.write_export, written_out),
    lists(
        export.forecast_batches,
        lambda s, _: {q for batch in export.forecast_batches(s) for q in batch[0].to_pylist()},
        forecast_columns.batches,
    ),
    lists(export_parts, in_parts),
    Case(import_frames, A.forecast, _import, on="import"),
    lists(export.left_out, proposed),
    Case(kept_evidence.content, A.see, shown_exhibit, on="resolved"),
    shown(kept_evidence.kept, on="resolved"),
    lists(search.labels, lambda s, _: search.labels(s)[0]),
    lists(search.page, paged, search.rows),
    lists(search.find, lambda s, m: search.find(s, search.Filter(), member=m, now=NOW)[0]),
    Case(
        trends.trends,
        A.see,
        lambda c: trends.trends(c.session, [state_of(c.session, c.question)], now=NOW),
    ),
    lists(forecast_frame, lambda s, _: set(forecast_frame(s, None)["question_id"])),
    lists(ledger_frames, lambda s, _: held(ledger_frames(s))),
    lists(scoring_frames, scored),
    Case(paths.paths, A.see, steps),
    Case(paths.option_paths, A.see, steps_of_options),
    lists(
        practice.of_ledger,
        lambda s, _: [one.slug for one in practice.of_ledger(s, now=NOW)],
        on="resolved",
    ),
    in_ledger(A.administer, privacy.everything, "leaver"),
    in_ledger(A.administer, privacy.remove, "leaver"),
    lists(
        table_batches,
        lambda s, _: {q for some in table_batches(s)["questions"] for q in some["question_id"]},
    ),
    lists(
        forecast_columns.columns,
        lambda s, _: set(
            forecast_columns.columns(s, None, rationales=False, cited=False)["question_id"]
        ),
    ),
    Case(due.due, A.resolve, to_be_told),
    lists(message.compose, said),
    shown(question_standing.current_state, now=NOW),
    Case(registry.find, A.see, lambda c: registry.find(c.session, c.question.slug)),
    lists(question_standing.listing, listed),
    Case(
        registry.similar_slugs,
        A.see,
        lambda c: c.question.slug in registry.similar_slugs(c.session, c.question.slug),
    ),
    Case(
        registry.register,
        A.ask,
        lambda c: registry.register(c.session, in_alder(c), **c.here),
        on="team",
    ),
    Case(ask, A.ask, lambda c: ask(c.session, in_alder(c), P, **c.here), on="team"),
    in_ledger(A.ask, registry.require_can_ask, SNOW),
    shown(passages.sources),
    lists(question_standing.by_id, by_number),
    lists(question_standing.outlines, outlined),
    lists(
        question_standing.unresolved,
        lambda s, _: [one.slug for one in question_standing.unresolved(s, now=NOW)],
    ),
    shown(registry.newest_wording),
    act_on(A.resolve, confirmation.accept, of="proposal"),
    act_on(A.resolve, confirmation.confirm, "yes"),
    act_on(A.resolve, confirmation.withdraw, on="resolved", reason="no"),
    Case(proposals.by_resolution, A.see, past_disputes, on="resolved"),
    shown(proposals.history),
    lists(proposals.open_proposals, proposed),
    shown(proposals.proposals_on),
    act_on(A.propose, proposals.propose, "no"),
    act_on(A.resolve, proposals.reject, of="proposal", note="no"),
    act_on(A.revise, revisions.close, at=day(1.5)),
    shown(revisions.history),
    Case(
        updates.members_lacking_options,
        A.see,
        lambda c: updates.members_lacking_options(c.session, c.question, at=NOW) == [],
    ),
    Case(
        revisions.reopen,
        A.revise,
        lambda c: (
            revisions.close(c.session, c.question, at=day(1.5), **c.here)
            and revisions.reopen(c.session, c.question, **c.here)
        ),
    ),
    act_on(A.revise, revisions.revise, title="Rain?"),
    lists(scored_questions, scored_of_anna, explained, stored_scores.member_scores, on="resolved"),
    shown(stored_scores.resolution_scores, on="resolved", of="resolution"),
    shown(stored_scores.score_table, on="resolved", of="resolution"),
    Case(bulk.apply_action, A.revise, lambda c: bulk.apply_action(*tagging(c), **c.here)),
    Case(bulk.affected_questions, A.see, lambda c: bulk.affected_questions(*tagging(c), **c.here)),
    in_team(A.manage, teams.set_rule, second_resolver=True),
    Case(
        teams.appoint,
        A.administer,
        lambda c: teams.appoint(c.session, anna(c.session), Role.viewer, **c.here),
        on="ledger",
    ),
    in_ledger(A.administer, teams.create, "Cedar"),
    in_team(A.manage, teams.add, "root", Role.viewer),
    in_team(A.administer, teams.count_since, "leaver", day(-9), on="ledger"),
    in_team(A.manage, teams.set_role, "root", Role.viewer),
    in_team(A.manage, teams.remove, "leaver"),
    lists(today.today, on_today),
    Case(tokens.adopt, A.administer, adopted, on="ledger"),
    in_ledger(A.administer, tokens.create, "script"),
    in_ledger(A.administer, tokens.revoke, "robot"),
    shown(updates.evidence_of),
    shown(updates.citation_numbers),
    shown(updates.forecast_numbers),
    Case(
        updates.forecast_counts,
        A.see,
        lambda c: c.question.id in updates.forecast_counts(c.session, [c.question.id]),
    ),
    act_on(A.forecast, comments.comment, "So."),
    Case(comments.remarks, A.see, lambda c: comments.remarks(c.session, c.question) == []),
    lists(posts.page, posted),
    Case(posts.post, A.see, found(lambda c: posts.post(c.session, c.question.id, **c.here))),
    Case(
        posts.questions, A.see, found(lambda c: posts.questions(c.session, c.question.id, now=NOW))
    ),
    shown(updates.history),
    in_ledger(A.capture, evidence.record_evidence, CitedEvidence(note="clouds")),
    Case(
        updates.current_forecast,
        A.see,
        lambda c: bool(updates.current_forecast(c.session, c.question, anna(c.session), at=NOW)),
    ),
    lists(
        updates.current_forecasts,
        lambda s, _: slugs_of(s, updates.current_forecasts(s, anna(s), at=NOW)),
    ),
    act_on(A.forecast, updates.update, P),
    Case(
        updates.update_all,
        A.forecast,
        lambda c: updates.update_all(c.session, [updates.NewForecast(c.question, P)], **c.here),
    ),
    Case(updates.refusals, A.forecast, not_refused),
    Case(updates.find_forecast, A.see, found_anna),
    Case(model_uses.models_of, A.see, model_of_anna),
    Case(model_uses.known_models, A.see, names_the_model),
    Case(
        updates.withdraw,
        A.forecast,
        lambda c: forecasted(c) and updates.withdraw(c.session, c.question, **c.here),
    ),
    Case(
        updates.undo,
        A.forecast,
        lambda c: updates.undo(c.session, forecasted(c).id, **c.here),
    ),
    act_on(A.resolve, assignments.attach, "outcomes_file", {"path": "outcomes.csv"}),
    act_on(A.resolve, assignments.detach),
    act_on(A.resolve, assignments.set_policy, PolicyKind.propose),
    lists(progress.parked, parked, progress.parked_ids),
    shown(progress.disagreement),
    lists(progress.progress, due_next),
    shown(assignments.resolvers),
    act_on(A.resolve, assignments.retry),
    lists(progress.last_lookups, lambda s, _: [w.slug for w in progress.last_lookups(s)]),
)
CASES = {name: case for case in EVERY_CASE for name in case.names}


def test_every_verb_has_a_place() -> None:
    named = [*CASES, *(name for names in OPEN.values() for name in names.split())]
    assert sorted(named) == sorted(verbs())


def furnish(session: Session) -> None:
    """Fill an unshared ledger, where nothing is refused, and then make it shared."""
    people = {handle: members.member_or_new(session, handle, now=day(0)) for handle in PEOPLE}
    tokens.create(session, "robot", member=None, now=day(0))
    alder, birch = (memberships.team_or_new(session, n, now=day(0)) for n in ("Alder", "Birch"))
    memberships.join(session, alder, people["leaver"], joined_at=day(0))
    library.store(session, [RAIN], member=people["anna"], captured_at=day(0))
    for author in ("anna", *(f"author {role}" for role in Role)):
        for seen in Visibility:
            for over in (False, True):
                _question(session, people, author, alder.id, seen, over)
    for role in Role:
        memberships.join(session, alder, people[f"own team {role}"], joined_at=day(0), role=role)
        memberships.join(session, birch, people[f"other team {role}"], joined_at=day(0), role=role)
        for where in ("no team", "author"):
            who = people[f"{where} {role}"]
            session.add(Appointment(member_id=who.id, role=role, recorded_at=day(0)))
    session.add(Appointment(member_id=people["root"].id, role=Role.admin, recorded_at=day(0)))


PEOPLE = ["anna", "root", "leaver", *(f"{where} {role}" for where in WHERE for role in Role)]


def slug_of(author: str, seen: Visibility, over: bool) -> str:
    return f"{author.replace(' ', '-')}-{seen}-{'over' if over else 'open'}"


def _question(
    session: Session,
    people: dict[str, Member],
    author: str,
    team: int | None,
    seen: Visibility,
    over: bool,
) -> None:
    slug = slug_of(author, seen, over)
    text = registry.question_text(
        title=slug,
        open_time=day(0),
        scheduled_close_time=day(10),
        tags=[slug],
        visibility=seen,
        team_id=team,
    )
    by = people[author]
    source = passages.find_passage(session, 1)
    new = registry.NewQuestion(slug, text, [source])
    [id_] = registry.insert_questions(session, [new], member=by, now=day(0))
    made = session.get_one(Question, id_)
    solo = members.member_or_new(session, f"solo {slug}", now=day(0))
    for who in (people["anna"], solo):
        cited = [CitedEvidence(note=f"note on {slug}")]
        updates.update(session, made, P, member=who, now=day(1), evidence=cited)
    assignments.attach(session, made, "outcomes_file", {"path": "x.csv"}, member=by, now=day(0))
    if over:
        assignments.set_policy(
            session, made, PolicyKind.confirm, dispute_days=30, member=by, now=day(1)
        )
    ended = {"known_at": day(1.2), "member": by, "now": day(1.2)}
    row = (
        confirmation.confirm(session, made, "yes", **ended).resolution
        if over
        else proposals.propose(session, made, "yes", **ended)
    )
    kept_evidence.keep(session, row, [Seen("x.csv", slug.encode(), day(1.2))])


@pytest.fixture(scope="module")
def shared(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The filled ledger in one file; each cell is rolled back."""
    path = tmp_path_factory.mktemp("shared") / "ledger.sqlite3"
    path.write_bytes(empty_ledger.read_bytes())
    engine = database.open_engine(sqlite_url(path))
    with database.writing(engine) as session:
        furnish(session)
    yield engine
    engine.dispose()


def cells(
    session: Session, on: str, *, ranks: Collection[Role] = tuple(Role), pairs: bool = False
) -> Iterator[tuple[str, Role, Visibility, Cell]]:
    """Yield every member with another author's questions of Alder, and authors with their own.

    The session reads for the member of the cell. ``pairs``: only as many cells as bring together
    each two of a place, a role and a visibility, which is enough where the rule itself is tested
    in every cell.
    """
    by_handle = {m.handle: m for m in session.exec(select(Member))}
    by_slug = {q.slug: q for q in session.exec(select(Question))}
    for place, where in enumerate(WHERE):
        for rank, role in enumerate(ranks):
            member = by_handle[f"{where} {role}"]
            access_visibility.read_as(session, member, now=NOW)
            for number, seen in enumerate(Visibility):
                if pairs and (place + rank + number) % len(Visibility):
                    continue
                author = f"author {role}" if where == "author" else "anna"
                question = by_slug[slug_of(author, seen, on == "resolved")]
                yield where, role, seen, Cell(session, member, question, seen)


def expected(case: Case, where: str, role: Role, seen: Visibility) -> str:
    """Return the expected result, by the rules in docs/teams.md."""
    if role is Role.admin and where in ("no team", "author"):
        return "done"  # an admin of the ledger
    outside = Role.viewer if role is Role.viewer else Role.forecaster
    general = role if where in ("no team", "author") else outside
    needed = RANK[NEEDED[case.action]]
    if case.on == "ledger":
        return "done" if RANK[general] >= needed else "forbidden"
    if case.on == "team":
        return "done" if where == "own team" and RANK[role] >= needed else "forbidden"
    if case.on == "import" and general is Role.viewer:
        return "forbidden"
    sees = (
        seen is Visibility.everyone
        or where == "author"
        or (seen is Visibility.team and where == "own team")
    )
    if not sees:
        return "unseen"
    if where == "author" and case.action in (A.revise, A.resolve):
        needed = RANK[Role.forecaster]
    return "done" if RANK[role if where == "own team" else general] >= needed else "forbidden"


RANK = {role: rank for rank, role in enumerate(Role)}
# The table of docs/teams.md, repeated here so that a change is noticed.
NEEDED = {
    A.see: Role.viewer,
    A.capture: Role.forecaster,
    A.ask: Role.forecaster,
    A.forecast: Role.forecaster,
    A.propose: Role.forecaster,
    A.dispute: Role.forecaster,
    A.revise: Role.resolver,
    A.resolve: Role.resolver,
    A.manage: Role.admin,
    A.administer: Role.admin,
}


def result_of(case: Case, cell: Cell) -> str:
    undone = cell.session.begin_nested()
    try:
        done = case.call(cell)
    except Refused as error:
        return refusal(error, cell.member)
    except NotFound as error:
        unknown = roles.question_not_found(cell.question.slug)  # one that does not exist
        return "unseen" if error.message == unknown.message else str(error)
    finally:
        undone.rollback()
    return "done" if done is None or bool(done) else "unseen"


def refusal(error: Refused, member: Member) -> str:
    """Return the result of a refusal, which names the member and members who can help."""
    if isinstance(error, Forbidden):
        told = member.handle in error.message and error.remedy.startswith("Ask ")
        return "forbidden" if told else str(error)
    # An import of a question whose name is taken by a hidden one.
    return "unseen" if "already a question" in error.message else str(error)


# The verbs tested in every cell, one for each action. The others that show something may have a
# condition of their own, which knows readers without a role's rights and those with all of them;
# the rest ask the same check for their action.
ONE_OF_EACH = {case.action: case for case in EVERY_CASE if case.on == "question"}


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case.names[0])
def test_each_verb_obeys_role_place_and_question(shared: Engine, case: Case) -> None:
    whole, shows = case in ONE_OF_EACH.values(), case.action is A.see
    ranks = tuple(Role) if whole or not shows else (Role.viewer, Role.admin)
    with database.writing(shared) as session:
        found = {
            (where, str(role), str(seen)): (
                result_of(case, cell),
                expected(case, where, role, seen),
            )
            for where, role, seen, cell in cells(
                session, case.on, ranks=ranks, pairs=not (whole or shows)
            )
        }
        session.rollback()
    assert {cell: came for cell, (came, due) in found.items() if came != due} == {}
    # A verb without a check would be done for everyone.
    assert {due for _, due in found.values()} - {"done"}
