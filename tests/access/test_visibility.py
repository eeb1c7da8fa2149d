"""Access of every role to every verb, in every place and on every kind of question.

Verbs are found in the code. A new one fails here until it is in ``CASES``, with the action it
needs, or in ``OPEN``, with the reason why everyone may call it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
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
from forecasts.ledger import database, models
from forecasts.ledger.append import written
from forecasts.ledger.models import Forecast, Member, Question, Resolution, Role, Visibility
from forecasts.news import feeds
from forecasts.operations import privacy
from forecasts.parts.export import export_parts
from forecasts.proposals import calls, challenges, decisions, model_forecasts, model_outcomes
from forecasts.proposals.endpoint import Endpoint
from forecasts.proposals.kinds import Wanted
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

# Verbs that everyone may call, by the reason; those of a module after its name.
OPEN = {
    "handles, kinds, owners, memberships and teams are visible to everyone": """
        access.kinds: accounts crowd forecaster_kinds; access.members: find_member handle_of handles
        kind_of member_named; access.memberships: active_membership before_joining
        current_memberships entered_later members_with_role memberships_of same_membership
        stays_entered_later team_members team_names; access.roles: admins appointments;
        access.teams: find listing members_page roster; access.tokens: bots_of owner_of;
        api.metaculus.posts: account; importing.accounts: doubtful_names
    """,
    "is the check": """
        access.roles: appointed_role has_scope is_shared member_rights require require_own_name
        require_scope; proposals.calls: own require_may_call; proposals.model_forecasts: is_hidden;
        access.teams: needs_second_resolver require_second_resolver; access.tokens:
        require_name_suffices; access.visibility: comment_visible evidence_visible forecast_visible
        is_visible question_visible reader_rights require_visible; articles.library: require_capture
    """,
    "does nothing in a shared ledger": "access.roles: ensure_admin",
    "the member's own": """
        access.idempotency: keep_answer kept_answer; access.identities: end_session has_ended;
        access.preferences: preferences set_preferences; access.tokens: own_account;
        access.visibility: crowd_is_hidden; accounts.accounts: settled; agenda.calendar_feed: create
        revoke; agenda.notifications.channels: add change find listing remove;
        agenda.notifications.sender: resend; agenda.revisits: distinct_days intervals mark_seen
        seen_until; news.feeds: find keep listing pause remove resume; news.reading:
        make_due; proposals.calls: last_answer newest_proposal waiting; proposals.decisions: decide
        about_questions dismiss draft_of find listing reopen require_open; proposals.trials: plan
        result;
        questions.standing: last_registered; updates.evidence: cite; views.forecasts:
        new_forecast
    """,
    "names the member who acts or reads": """
        access.identities: admit member_of; access.members: member_or_new; access.roles:
        limit_scopes; access.tokens: acting_handle acting_member held reading_member;
        access.visibility: read_as reader_id reading_publicly; api.server: build; ledger.database:
        reading writing
    """,
    "a cache, computed from the ledger": """
        access.visibility: reading_everything; news.matches: catch_up catch_up_apart rebuild;
        scores.scores: rebuild store
    """,
    "about the database, the file, the server or the chain, not the content": """
        access.roles: is_shared_ledger; access.tokens: has_sign_in is_database_owner;
        ledger.clock: act_time ledger_clock newest_time require_not_behind time_of_turn;
        ledger.database: give_way prepare_sqlite; ledger.driver_errors: reported; ledger.head:
        accept forget keep path_of ways_on; ledger.malformed: explaining; ledger.moved: moved_to;
        ledger.raw_rows: ends read rows_between rows_outside; ledger.receipts: ledger_id;
        ledger.schema: require_known require_ready schema_revision; ledger.urls: address place
        sqlite_path; ledger.verification: newest; operations.backup: on_a_server;
        operations.digests: claim send; operations.grants: grant; operations.health: check
        check_file check_routine check_server; operations.stamps: folder_of_proofs;
        operations.upkeep: find record rows; resolution.assignments: not_askable_here;
        resolution.progress: begin_run forget_run left_to_others run_times;
        samples.demonstration: is_demonstration; scores.ledger_frames: revision
    """,
    "called by verbs that have checked": """
        access.identities: unknown_note; access.memberships: join team_or_new write_stay;
        access.teams: team_fields visibility_fields; access.tokens: issue; proposals.decisions:
        newest_decision record require_kind; access.visibility:
        audience_label; api.metaculus.posts: posted_comment; ledger.append: append count_entered
        delete enter enter_flushed last_of undo written; ledger.current: newest_wording;
        ledger.facts: first known undo; questions.registry: insert_questions others_see;
        updates.ask: needs_criteria;
        questions.revisions: append_wording close_by_hand named_changes; questions.standing:
        rows_with; questions.groups: write_group; resolution.assignments: schedule_lookup;
        resolution.confirmation: settle_branches; resolution.dependents: branches_to_settle
        require_condition require_group_allows; resolution.proposals:
        require_undecided; updates.model_uses: record_models; proposals.model_forecasts:
        wording_at; resolution.model_witness: newest
    """,
    "only what its verbs show": """
        api.metaculus.posts: question_posts tournaments; views.articles: document;
        views.proposals: call
        about_question call_text proposals; views.forecasts:
        forecasts; views.questions: document whole_question; views.ties:
        conditional group groups_of if_late link ties
    """,
    "articles are visible to everyone": """
        news.stories: stories_of;
        articles.library: find_article listing; questions.passages: find_passage; updates.evidence:
        article_by_address; updates.evidence_parsing: parse_evidence read_evidence
    """,
    "a number": """
        agenda.notifications.sender: undelivered; proposals.calls: used_today;
        publication.record: outside_the_team;
        questions.families: judgements; resolution.late_forecasts: late_forecasts made_between;
        resolution.runs.run: waiting
    """,
    "asks for each question: test_families, test_dependence, test_dependents": """
        questions.conditions: register_conditional; questions.families: join_family join_pairs
        leave_family move_to_family tell_apart tell_pairs_apart; questions.groups: add_to_group
        change_group register_group take_out; questions.links: link unlink;
        resolution.confirmation: confirm_together; updates.ask_group: ask_group;
        updates.ask_together: ask_conditional ask_members
    """,
    "only what the reader may see: the tests of their modules": """
        agenda.calendar_feed: feed; agenda.notifications.due: news_of; news.feeds: of_evidence;
        news.inbox: accept dismiss drafts_in inbox newest_suggestions
        overview reopen set_threshold subjects threshold; news.matches: matches texts_of
        uncompared;
        scores.crowd_moves: crowd_moves;
        views.news: inbox moves_since;
        agenda.notifications.sender: send; agenda.today: is_empty new_results; exporting.export:
        export_as packed_as packed_folder reading write_question_files; importing.accounts: whose;
        proposals.accounts: accounts; proposals.calls: find_call listing;
        publication.forecast_proofs: write_proofs; questions.conditions: around branches
        branches_of condition_of condition_rows; questions.families: with_families;
        questions.groups: counted_kinds find_group first_forecasts group_of group_rows
        groups;
        questions.links: link_rows links links_of with_questions;
        questions.origins: origins platforms; questions.registry: find_named;
        questions.revisions: counted_families counted_titles criteria_kept earlier_closes ended
        first_ends;
        questions.same_questions: find_duplicates likely_same ready_drafts
        same_pairs; questions.ties: ever_tied tied; questions.trends: rows_at;
        scores.coherence: crowd_contradictions hanging; scores.ledger_frames: crowd_frames
        ledger_questions link_frame;
        scores.printed_scores: printed_by_question printed_scores; resolution.dependents:
        contradiction decided; resolution.scoreboard: scoreboard; updates.coherence: contradictions
        own_contradictions;
        updates.conditionals: implied; updates.evidence: key_and_row; updates.look_again: linked
        updated_since; updates.updates: current_values
    """,
    "for the owner of the database, who has everything": """
        access.identities: link_identity; agenda.notifications.channels: seal_addresses;
        ledger.moved: mark unmark; ledger.receipts: check; ledger.schema: make_ready migrate;
        ledger.verification: verify; operations.backup: back_up restore; operations.privacy: sweep;
        operations.transfer: finish move reopen; samples.demonstration: walk; scores.scores: compare
    """,
    "called by runs, for the owner of a resolver or a feed": """
        news.reading: read_due; news.stories: catch_up;
        resolution.kept_evidence: keep; resolution.progress: record_run; resolution.runs.recording:
        downgraded new_findings outdated propose_correction run_member; resolution.runs.run: look
        run
    """,
    "keys are public, and the rest is not shown": """
        access.tokens: listing; agenda.calendar_feed: current_token
    """,
    "part of an import, which has checked": """
        access.members: members_or_new; importing.accounts: as_member; importing.dependence:
        compare_dependence settle_imported write_dependence; importing.forecasts:
        compare_forecasts write_forecasts; importing.frames: compare_frames write_frames;
        importing.memberships: compare_memberships write_memberships; importing.origins: names_here
        new_printed_scores write_origins write_printed_scores; importing.questions:
        compare_questions write_questions; importing.record: import_record; importing.sources:
        compare_articles compare_evidence write_evidence; importing.undated: with_known_times
    """,
    "the salt stays in the ledger; an alias keeps its secret": "importing.aliases: aliases",
    "the author's own: test_discards": "questions.discards: discard may_discard",
    "an ID is taken even by a question that is hidden": "questions.registry: require_new_slugs",
    "the teams that register would allow": "access.teams: teams_to_ask_in",
    "only what everyone may see: the tests of publication": """
        publication.proof: record_json; publication.record: evidence_of published
        questions_with_secrets
    """,
    "asks whose record it is: test_publish": "publication.publish: publish publish_as_zip",
    "hashes of forecasts that their caller has written or may see": """
        ledger.receipts: receipt receipts
    """,
    "as visible as its caller asks": "ledger.current: in_order is_among",
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
        return self.row_of(Resolution, Resolution.state == models.ResolutionState.confirmed)

    @property
    def proposal(self) -> Resolution:
        return self.row_of(Resolution, Resolution.state == models.ResolutionState.proposed)

    @property
    def forecast(self) -> Forecast:
        return self.row_of(Forecast, Forecast.member_id == anna(self.session).id)

    @property
    def slug(self) -> str:
        return self.question.slug

    @property
    def team(self) -> models.Team:
        return teams.find(self.session, "Alder")

    @property
    def now(self) -> datetime:
        return NOW

    @property
    def here(self) -> dict[str, Any]:
        return {"member": self.member, "now": NOW}

    def row_of(self, table: Any, condition: Any) -> Any:
        of_question = table.question_id == self.question.id
        return self.session.exec(select(table).where(of_question, condition)).one()


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


def case(
    action: Action, verb: Callable[..., Any], *given: Any, on: str = "question", **named: Any
) -> Case:
    """Return the case of a verb that gets what it needs from the cell, by its parameters' names.

    ``given`` are its other parameters, in order. One that is a function is called with the cell.
    """

    def call(cell: Cell) -> Any:
        left, arguments = list(given), dict(named)
        for name, parameter in inspect.signature(verb).parameters.items():
            if name not in named and parameter.default is parameter.empty and hasattr(cell, name):
                arguments[name] = getattr(cell, name)
            elif name not in named and left:
                arguments[name] = left.pop(0)
        return verb(**{name: of(cell) if callable(of) else of for name, of in arguments.items()})

    return Case(verb, action, call, on)


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


def anna(session: Session) -> Member:
    return members.member_named(session, "anna")


def adopted(cell: Cell) -> Any:
    model = members.member_or_new(cell.session, "a model", now=NOW)
    return tokens.adopt(cell.session, model.handle, owner=cell.member, **cell.here)


def has_current(cell: Cell) -> bool:
    made = updates.current_forecast(cell.session, cell.question, anna(cell.session), at=NOW)
    return made is not None


def found_anna(cell: Cell) -> Any:
    try:
        return updates.find_forecast(cell.session, cell.forecast.id)
    except NotFound:
        return False


def named_model(cell: Cell) -> Session:
    """Return the session, in which anna's forecast is by a model named like the question."""
    model = model_uses.Model(cell.slug)
    model_uses.record_models(cell.session, [(cell.forecast.id, model)])
    return cell.session


def who(handle: str) -> Callable[[Cell], Member]:
    return lambda cell: members.member_named(cell.session, handle)


def steps(cell: Cell) -> int:
    text = registry.newest_wording(cell.session, cell.question)
    return len(paths.paths(cell.session, cell.question, text, now=NOW).steps)


def _import(cell: Cell) -> Any:
    import pandas as pd

    wording = {"question_id": cell.slug, "title": cell.slug, "type": "binary"}
    times = {"open_time": day(0), "scheduled_close_time": day(10)}
    said = {"question_id": cell.slug, "forecaster": cell.member.handle, "made_at": day(1)}
    frames = complete(pd.DataFrame([wording | times]), pd.DataFrame([said | {"probability": 0.2}]))
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


def slugs(found: Iterable[Any]) -> list[str]:
    return [one.slug for one in found]


def listed(session: Session, _member: Member) -> list[str]:
    found = question_standing.listing(session, now=NOW)
    assert found == question_standing.listing(session, now=NOW, only=slugs(found))
    return slugs(found)


def outlined(session: Session, member: Member) -> list[str]:
    ids = {outline.id for outline in question_standing.outlines(session)}
    return [one.slug for one in question_standing.listing(session, now=NOW) if one.id in ids]


def of_article(session: Session, _member: Member) -> list[str]:
    """Return the article's questions; the counts equal the number of visible ones."""
    article = library.find_article(session, 1)
    seen = slugs(state for _, state in passages.questions_from(session, article, now=NOW))
    [(_, count)] = library.article_page(session).articles
    assert library.question_counts(session)[1] == count == len(seen)
    return seen


def on_today(session: Session, member: Member) -> list[str]:
    found = today.today(session, member, now=NOW, shown=1_000)
    return slugs(one.state for one in found.agenda)


def by_number(session: Session, _member: Member) -> list[str]:
    every = [id_ for id_ in session.exec(select(Question.id)) if id_ is not None]
    return slugs(question_standing.by_id(session, every, now=NOW).values())


def to_be_done(cell: Cell) -> bool:
    """Return whether a question that awaits its outcome is on Today, else whether it may be."""
    if among(on_today)(cell):
        return True
    roles.require(cell.session, cell.member, A.propose, cell.question, now=NOW)
    return False


def to_be_told(cell: Cell) -> bool:
    """Return whether the member is notified of a proposal, else whether they may decide it."""

    def told(session: Session, member: Member) -> list[str]:
        found = due.due(session, _channel(member, models.Event.decision), now=NOW)
        return slugs_of(session, {id_ for _, id_, _ in found})

    if among(told)(cell):
        return True
    roles.require(cell.session, cell.member, A.resolve, cell.question, now=NOW)
    return False


def said(session: Session, member: Member) -> list[str]:
    """Return the questions in a message about all questions."""
    event, ids = models.Event.closing, session.exec(select(Question.id))
    everything = [(event, id_, NOW) for id_ in ids if id_]
    _, moot = message.compose(session, member, everything, now=NOW)
    return slugs_of(session, {one[1] for one in everything if one not in moot})


def _channel(member: Member, event: models.Event) -> models.Channel:
    assert member.id is not None
    return models.Channel(
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
    seen = slugs(question for _, question in proposals.open_proposals(session))
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


def in_columns(session: Session, _member: Member) -> set[str]:
    found = forecast_columns.columns(session, None, rationales=False, cited=False)
    return set(found["question_id"])


def scored(session: Session, _member: Member) -> set[str]:
    asked, said = (set(frame["question_id"]) for frame in scoring_frames(session))
    assert asked == said
    return asked


def scored_of_anna(session: Session, _member: Member) -> list[str]:
    """Return her scored questions, which are explained, and whose scores are listed."""
    found = slugs(one.state for one in scored_questions(session, anna(session)))
    scores = stored_scores.member_scores(session, anna(session), limit=100)
    assert slugs(state for state, _ in scores) == found
    assert slugs(one.state for one in explained(session, anna(session), scores)) == found
    return found


def paged(session: Session, member: Member) -> list[str]:
    """Return the questions on all pages, which also state their number."""
    pages = [search.page(session, search.Filter(), member=member, now=NOW)]
    for number in range(2, pages[0].pages + 1):
        pages.append(search.page(session, search.Filter(), member=member, now=NOW, number=number))
    found = slugs(row.state for one in pages for row in one.rows)
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


def state_of(cell: Cell) -> question_standing.QuestionState:
    """Return the state of a question regardless of the reader, since the verb checks that."""
    with access_visibility.reading_everything(cell.session):
        return question_standing.current_state(cell.session, cell.question, now=NOW)


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
        session.add(models.Dispute(resolution_id=row.id or 0, member_id=by, recorded_at=NOW))
    session.flush()


def disputed(session: Session, _member: Member) -> list[str]:
    confirmed = select(Resolution).where(Resolution.state == models.ResolutionState.confirmed)
    _disputes(session, session.exec(confirmed).all())
    found = slugs(question for _, _, question in disputes.open_disputes(session))
    assert found
    return found


def upholds(cell: Cell) -> Any:
    _disputes(cell.session, [cell.resolution])
    return disputes.uphold(cell.session, cell.question, **cell.here)


def past_disputes(cell: Cell) -> Any:
    _disputes(cell.session, [cell.resolution])
    assert proposals.by_resolution(cell.session, cell.question, models.Exhibit)
    return proposals.by_resolution(cell.session, cell.question, models.Dispute)


def provisional(session: Session, _member: Member) -> list[str]:
    found = finality.provisional_outcomes(session, now=NOW)
    assert finality.dispute_deadlines(session).keys() == found.keys()
    return slugs_of(session, found)


def parked(session: Session, _member: Member) -> list[str]:
    session.execute(update(models.Watch).values(parked_at=NOW))
    found = slugs(progress.parked(session))
    assert found == slugs(progress.progress(session, limit=1_000).parked)
    with_ids = select(Question.slug).where(col(Question.id).in_(progress.parked_ids(session)))
    assert sorted(session.exec(with_ids)) == sorted(found)
    return found


def due_next(session: Session, _member: Member) -> list[str]:
    found = progress.progress(session, limit=1_000)
    assert found.watched == len(found.next)
    return slugs(found.next)


def shown_exhibit(cell: Cell) -> Any:
    of_outcome = select(models.Exhibit).where(models.Exhibit.resolution_id == cell.resolution.id)
    return kept_evidence.content(cell.session, cell.session.exec(of_outcome).one())


SNOW = registry.question_text(
    title="Will it snow?",
    open_time=NOW,
    scheduled_close_time=day(10),
    resolution_criteria="As the gauge says.",
)


def in_alder(cell: Cell) -> models.QuestionText:
    return SNOW.model_copy(update=teams.visibility_fields(cell.session, "Alder"))


def by_model(kind: str, **content: Any) -> Callable[[Cell], int]:
    """Return the number of the member's own proposal, on the article or about the question."""

    def number(cell: Cell) -> int:
        bot = members.member_or_new(cell.session, MODEL.model, now=NOW)
        of_article = kind == "questions"
        call = models.ModelCall(
            member_id=cell.member.id,
            bot_id=bot.id,
            kind=kind,
            article_id=1 if of_article else None,
            about_id=None if of_article else cell.question.id,
            model=MODEL.model,
            host=MODEL.host,
            prompt_hash="",
            most_tokens=1,
            request="",
            recorded_at=NOW,
        )
        owned = {"member_id": cell.member.id, "recorded_at": NOW}
        owned["model_call_id"] = written(cell.session, call).id
        spent = {"tokens_in": 1, "tokens_out": 1, "cost": 0, "seconds": 1}
        state = models.AnswerState.answered
        written(cell.session, models.ModelAnswer(state=state, answer="", **spent, **owned))
        row = models.ModelProposal(content=json.dumps(content), **owned)
        return written(cell.session, row).id

    return number


def asked_model(kind: str, *, ends: bool = False) -> Callable[[Cell], Any]:
    """Return the call that begins a request; others than its author may not send it everywhere."""

    def call(cell: Cell) -> Any:
        wanted = Wanted(kind, article=1, question=cell.slug, articles=(1,), at=NOW)
        here = cell.here | {"now": day(10_000) if ends else NOW}
        try:
            return calls.begin(cell.session, MODEL, wanted, **here)
        except Forbidden as error:
            if "only its author may send it" not in error.message:
                raise
            assert cell.visibility is not Visibility.everyone
            assert cell.question.member_id != cell.member.id
            return True

    return call


MODEL = Endpoint("http://localhost:1/v1", "a model")
SNOWY = {"title": "Will it snow?", "type": "binary", "options": None, "lower_bound": None}
SNOWY |= {"upper_bound": None, "unit": None, "resolution_criteria": "", "fine_print": ""}
SNOWY |= {"close_date": "2026-01-11", "quote": RAIN.text, "prefix": "", "suffix": ""}
REASONS = {"reference_class": "", "base_rate": "", "evidence_for": [], "evidence_against": []}
CASE = {"forecast": "40%", "case": "No.", "points": [], "review": []}
WITNESS = {"answer": "outcome", "outcome": "no", "known_at": None, "passages": [], "note": ""}


def forecasted(cell: Cell) -> Forecast:
    return updates.update(cell.session, cell.question, P, **cell.here).forecast


def challenged(cell: Cell) -> Any:
    """Return the call that asks for a case against the member's forecast."""
    forecasted(cell)
    return asked_model("challenge")(cell)


def closed(cell: Cell) -> Question:
    revisions.close(cell.session, cell.question, at=day(1.5), **cell.here)
    return cell.question


def finds_itself(cell: Cell) -> bool:
    return cell.slug in registry.similar_slugs(cell.session, cell.slug)


def nobody_lacks_options(cell: Cell) -> bool:
    return updates.members_lacking_options(cell.session, cell.question, at=NOW) == []


def slugs_of(session: Session, ids: Collection[int]) -> list[str]:
    return list(session.exec(select(Question.slug).where(col(Question.id).in_(ids))))


A = Action
EVERY_CASE = (
    lists(
        access_visibility.forecaster_handles,
        lambda s, _: [h.removeprefix("solo ") for h in access_visibility.forecaster_handles(s)],
    ),
    case(A.see, history.steps),
    case(A.forecast, revisits.confirm_forecasts, lambda c: [forecasted(c)], origin="x"),
    case(A.see, revisits.set_interval, 3, question=lambda c: c.question),
    lists(passages.questions_from, of_article, library.question_counts, library.article_page),
    case(A.capture, library.store, [RAIN], captured_at=NOW, on="ledger"),
    case(A.capture, feeds.add, "https://example.org/feed", on="ledger"),
    case(A.capture, feeds.add_all, [], on="ledger"),
    lists(finality.provisional_outcomes, provisional, finality.dispute_deadlines, on="resolved"),
    case(A.dispute, disputes.dispute, reason="no", on="resolved"),
    lists(disputes.open_disputes, disputed, on="resolved"),
    case(A.see, finality.provisional_outcome, on="resolved"),
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
    case(A.see, kept_evidence.kept, on="resolved"),
    lists(search.labels, lambda s, _: search.labels(s)[0]),
    lists(search.page, paged, search.rows, search.passages),
    lists(search.find, lambda s, m: search.find(s, search.Filter(), member=m, now=NOW)[0]),
    case(A.see, trends.trends, lambda c: [state_of(c)]),
    lists(forecast_frame, lambda s, _: set(forecast_frame(s, None)["question_id"])),
    lists(ledger_frames, lambda s, _: held(ledger_frames(s))),
    lists(scoring_frames, scored),
    Case(paths.paths, A.see, steps),
    Case(paths.option_paths, A.see, steps_of_options),
    lists(practice.of_ledger, lambda s, _: slugs(practice.of_ledger(s, now=NOW)), on="resolved"),
    case(A.administer, privacy.everything, "leaver", on="ledger"),
    case(A.administer, privacy.remove, "leaver", on="ledger"),
    lists(
        table_batches,
        lambda s, _: {q for some in table_batches(s)["questions"] for q in some["question_id"]},
    ),
    lists(forecast_columns.columns, in_columns),
    Case(due.due, A.resolve, to_be_told),
    lists(message.compose, said),
    case(A.see, question_standing.current_state),
    case(A.see, registry.find),
    lists(question_standing.listing, listed),
    Case(registry.similar_slugs, A.see, finds_itself),
    case(A.ask, registry.register, in_alder, on="team"),
    case(A.ask, ask, in_alder, P, on="team"),
    case(A.ask, registry.require_can_ask, SNOW, on="ledger"),
    case(A.see, passages.sources),
    Case(calls.begin, A.ask, asked_model("questions"), on="ledger"),
    Case(calls.begin, A.forecast, asked_model("forecast")),
    Case(calls.begin, A.propose, asked_model("outcome")),
    Case(calls.begin, A.forecast, asked_model("trial", ends=True)),
    Case(calls.begin, A.forecast, challenged),
    case(A.see, calls.preview, MODEL, lambda c: Wanted("forecast", question=c.slug)),
    case(A.see, model_forecasts.question_material, lambda c: Wanted("forecast", question=c.slug)),
    case(A.ask, decisions.accept, by_model("questions", **SNOWY), SNOW, on="ledger"),
    case(
        A.see,
        model_forecasts.reveal,
        by_model("forecast", **REASONS, forecast="27%"),
        now=day(11),
    ),
    case(A.propose, model_outcomes.accept, by_model("outcome", **WITNESS)),
    case(A.see, model_outcomes.find, by_model("outcome", **WITNESS)),
    case(A.see, challenges.find, by_model("challenge", **CASE)),
    lists(question_standing.by_id, by_number),
    lists(question_standing.outlines, outlined),
    lists(
        question_standing.unresolved, lambda s, _: slugs(question_standing.unresolved(s, now=NOW))
    ),
    case(A.see, registry.newest_wording),
    case(A.resolve, confirmation.accept),
    case(A.resolve, confirmation.confirm, "yes"),
    case(A.resolve, confirmation.withdraw, on="resolved", reason="no"),
    Case(proposals.by_resolution, A.see, past_disputes, on="resolved"),
    case(A.see, proposals.history),
    lists(proposals.open_proposals, proposed),
    case(A.see, proposals.proposals_on),
    case(A.propose, proposals.propose, "no", note="The gazette.", member=lambda c: c.member),
    case(A.resolve, proposals.reject, note="no"),
    case(A.revise, revisions.close, at=day(1.5)),
    case(A.see, revisions.history),
    Case(updates.members_lacking_options, A.see, nobody_lacks_options),
    case(A.revise, revisions.reopen, question=closed),
    case(A.revise, revisions.revise, title="Rain?"),
    case(A.see, revisions.to_revise, lambda c: [c.slug], lambda c: lambda _: {"tags": ["new"]}),
    case(A.revise, revisions.revise_all, lambda c: [c.slug], lambda c: lambda _: {"family": "f"}),
    lists(scored_questions, scored_of_anna, explained, stored_scores.member_scores, on="resolved"),
    case(A.see, stored_scores.resolution_scores, on="resolved"),
    case(A.see, stored_scores.score_table, on="resolved"),
    case(A.revise, bulk.apply_action, BulkAction.tag, "new", lambda c: [c.slug]),
    case(A.revise, bulk.affected_questions, BulkAction.tag, "new", lambda c: [c.slug]),
    case(A.manage, teams.set_rule, second_resolver=True, on="team"),
    case(A.administer, teams.appoint, who("anna"), Role.viewer, on="ledger"),
    case(A.administer, teams.create, "Cedar", on="ledger"),
    case(A.manage, teams.add, who("root"), Role.viewer, on="team"),
    case(A.administer, teams.count_since, who("leaver"), day(-9), on="ledger"),
    case(A.manage, teams.set_role, who("root"), Role.viewer, on="team"),
    case(A.manage, teams.remove, who("leaver"), on="team"),
    Case(today.today, A.propose, to_be_done),
    Case(tokens.adopt, A.administer, adopted, on="ledger"),
    case(A.administer, tokens.create, "script", on="ledger"),
    case(A.administer, tokens.revoke, "robot", on="ledger"),
    case(A.see, updates.evidence_of),
    case(A.see, updates.citation_numbers),
    case(A.see, updates.forecast_numbers),
    lists(
        updates.forecast_counts,
        lambda s, _: slugs_of(s, updates.forecast_counts(s, s.exec(select(Question.id)).all())),
    ),
    case(A.forecast, comments.comment, "So."),
    Case(comments.remarks, A.see, lambda c: comments.remarks(c.session, c.question) == []),
    lists(posts.page, posted),
    Case(posts.post, A.see, found(lambda c: posts.post(c.session, c.question.id, **c.here))),
    Case(
        posts.found_post,
        A.see,
        found(lambda c: posts.found_post(c.session, c.question.id, now=NOW)),
    ),
    case(A.see, updates.history),
    case(A.capture, evidence.record_evidence, CitedEvidence(note="clouds"), on="ledger"),
    Case(updates.current_forecast, A.see, has_current),
    lists(
        updates.current_forecasts,
        lambda s, _: slugs_of(s, updates.current_forecasts(s, anna(s), at=NOW)),
    ),
    case(A.forecast, updates.update, P),
    case(A.forecast, updates.update_all, lambda c: [updates.NewForecast(c.question, P)]),
    Case(updates.refusals, A.forecast, not_refused),
    Case(updates.find_forecast, A.see, found_anna),
    case(A.see, model_uses.models_of, session=named_model),
    Case(
        model_uses.known_models, A.see, lambda c: c.slug in model_uses.known_models(named_model(c))
    ),
    case(A.forecast, updates.withdraw, question=lambda c: forecasted(c) and c.question),
    case(A.forecast, updates.undo, lambda c: forecasted(c).id),
    case(A.resolve, assignments.attach, "outcomes_file", {"path": "outcomes.csv"}),
    case(A.resolve, assignments.detach),
    case(A.resolve, assignments.set_policy, models.PolicyKind.propose),
    lists(progress.parked, parked, progress.parked_ids),
    case(A.see, progress.disagreement),
    lists(progress.progress, due_next),
    case(A.see, assignments.resolvers),
    case(A.resolve, assignments.retry),
    lists(progress.last_lookups, lambda s, _: slugs(progress.last_lookups(s))),
)
CASES = {name: case for case in EVERY_CASE for name in case.names}


def test_every_verb_has_a_place() -> None:
    named = list(CASES)
    for listed_verbs in OPEN.values():
        for of_module in listed_verbs.split(";"):
            module, _, its_verbs = of_module.partition(":")
            named += [f"{module.strip()}.{verb}" for verb in its_verbs.split()]
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
            session.add(models.Appointment(member_id=who.id, role=role, recorded_at=day(0)))
    session.add(
        models.Appointment(member_id=people["root"].id, role=Role.admin, recorded_at=day(0))
    )


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
    times = {"open_time": day(0), "scheduled_close_time": day(10)}
    text = registry.question_text(title=slug, tags=[slug], visibility=seen, team_id=team, **times)
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
        days = {"dispute_days": 30, "member": by, "now": day(1)}
        assignments.set_policy(session, made, models.PolicyKind.confirm, **days)
    ended = {"known_at": day(1.2), "member": by, "now": day(1.2)}
    row = (
        confirmation.confirm(session, made, "yes", **ended).resolution
        if over
        else proposals.propose(session, made, "yes", note="The gazette.", **ended)
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
    session: Session, on: str, *, one_reader: bool = False, pairs: bool = False
) -> Iterator[tuple[str, Role, Visibility, Cell]]:
    """Yield every member with another author's questions of Alder, and authors with their own.

    The session reads for the member of the cell. Where the rule itself is tested in every cell,
    fewer are enough: ``one_reader`` of each place, without a role's rights or with all of them;
    ``pairs``: as many as bring together each two of a place, a role and a visibility.
    """
    by_handle = {m.handle: m for m in session.exec(select(Member))}
    by_slug = {q.slug: q for q in session.exec(select(Question))}
    for place, where in enumerate(WHERE):
        for rank, role in enumerate(Role):
            if one_reader and role is not READERS[where]:
                continue
            member = by_handle[f"{where} {role}"]
            access_visibility.read_as(session, member, now=NOW)
            for number, seen in enumerate(Visibility):
                if pairs and (place + rank + number) % len(Visibility):
                    continue
                author = f"author {role}" if where == "author" else "anna"
                question = by_slug[slug_of(author, seen, on == "resolved")]
                yield where, role, seen, Cell(session, member, question, seen)


READERS = dict(zip(WHERE, (Role.viewer, Role.admin, Role.admin, Role.viewer), strict=True))


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
# condition of their own, which knows only who reads; the rest ask the same check for their action.
ONE_OF_EACH = {case.action: case for case in EVERY_CASE if case.on == "question"}


@pytest.mark.parametrize("case", EVERY_CASE, ids=lambda case: case.names[0])
def test_each_verb_obeys_role_place_and_question(shared: Engine, case: Case) -> None:
    fewer, shows = case not in ONE_OF_EACH.values(), case.action is A.see
    how = {"one_reader": fewer and shows, "pairs": fewer and not shows}
    with database.writing(shared) as session:
        found = {
            (where, str(role), str(seen)): (
                result_of(case, cell),
                expected(case, where, role, seen),
            )
            for where, role, seen, cell in cells(session, case.on, **how)
        }
        session.rollback()
    assert {cell: came for cell, (came, due) in found.items() if came != due} == {}
    # A verb without a check would be done for everyone.
    assert {due for _, due in found.values()} - {"done"}
