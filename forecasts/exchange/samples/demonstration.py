"""The demonstration ledger: the whole journey, walked through the same verbs that people use.

article -> question -> forecast with evidence -> scheduled resolution run -> scores -> report

It is made anew each time, in a file of its own in the data folder, and never touches a ledger that
is not a demonstration. The articles are summaries in our words, the outcomes are those that
``data/outcomes.csv`` lists with their sources; the forecasters and the tournament are simulated,
and their handles and titles say so.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts import reports
from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.articles.capture import capture
from forecasts.articles.drafting.drafts import draft_questions
from forecasts.common import settings
from forecasts.common.errors import LedgerError, Refused
from forecasts.exchange.import_ import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import (
    Article,
    EvidenceKind,
    Ledger,
    MemberKind,
    RunState,
    Stance,
)
from forecasts.ledger.sqlite_file import Kind, kind_of, replace_contents
from forecasts.questions import registry, sources
from forecasts.questions import standing as question_standing
from forecasts.reports.render.as_text import as_text
from forecasts.resolution import assignments
from forecasts.resolution.runs import run
from forecasts.scores import scores
from forecasts.scores.frames import complete, ledger_frames
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.updates.values import Value

if TYPE_CHECKING:
    from scoring.tournament import Team

# When the page with the three articles was seen; "2 days ago" on it counts from this day.
CAPTURED_AT = datetime(2025, 7, 24, tzinfo=UTC)
# Who captures the articles and registers the questions.
EDITOR = "demonstration"

Say = Callable[[str], None]


def ledger_path() -> Path:
    """Return where the demonstration ledger lives: beside the user's own, never the same file."""
    return settings.data_folder() / "demonstration.sqlite3"


def data_folder() -> Path:
    """Return the folder of the article questions: in an installed package, or in a checkout."""
    package = Path(__file__).parents[2]  # forecasts
    for folder in (package / "data", package.parent / "data"):
        if (folder / "questions.toml").is_file():
            return folder
    raise LedgerError(
        "The article questions are not installed.", remedy="Install forecast-ledger again."
    )


def build(*, now: datetime, say: Say) -> str:
    """Return the URL of the demonstration ledger, which is written anew; ``say`` is told each step.

    It is built aside and then put in the place of the last one in one step, so that an app that
    serves that one goes on with the new one. Refused when the file is somebody's own.
    """
    path = ledger_path()
    _require_demonstration(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demonstration-", dir=path.parent) as aside:
        draft = Path(aside) / path.name
        engine = database.open_engine(settings.sqlite_url(draft))
        try:
            _walk(engine, now=now, say=say)
        finally:
            engine.dispose()
        replace_contents(path, draft)
    return settings.sqlite_url(path)


def _require_demonstration(path: Path) -> None:
    if kind_of(path) not in (Kind.nothing, Kind.demonstration):
        raise Refused(
            f"{str(path)!r} is not a demonstration ledger, so it is left alone.",
            remedy="Move it away, and run the demonstration again.",
        )


def is_demonstration(session: Session) -> bool:
    """Return whether this ledger is a demonstration, so that a page can say so."""
    return any(session.exec(select(Ledger.demonstration)).all())


def _walk(engine: Engine, *, now: datetime, say: Say) -> None:
    database.migrate(engine)
    with database.writing(engine) as session:
        session.add(Ledger(created_at=now, demonstration=True))
    say("1. Capture: a page with three articles (summaries in our words), seen on 24 July 2025")
    _capture(engine, say)
    say("2. Register: questions drawn from the articles")
    _register(engine, say)
    say("3. Forecast: simulated forecasters update as evidence comes in")
    _forecast(engine, say)
    say("4. Import: a simulated tournament of three teams, made with these habits")
    _tournament(engine, now, say)
    say("5. Scheduled run: resolve what the outcomes file knows, and score it")
    _resolve(engine, now, say)
    say("6. Scores: what the forecasts on the first question earned (Brier 0–1, 0 is best)")
    _scores(engine, now, say)
    say("7. Calibration report of the simulated teams\n")
    _report(engine, now, say)


def _capture(engine: Engine, say: Say) -> None:
    captured = capture(str(data_folder() / "articles.txt"), captured_at=CAPTURED_AT)
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=CAPTURED_AT, kind=MemberKind.service)
        library.store(session, captured, member=editor, captured_at=CAPTURED_AT)
    for article in captured:
        published = (article.published_at or CAPTURED_AT).date()
        drafts = draft_questions(article.text, published_at=published)
        ahead = "1 sentence looks" if len(drafts) == 1 else f"{len(drafts)} sentences look"
        say(f"   {article.title} ({article.publisher}, {published}): {ahead} ahead")


def _register(engine: Engine, say: Say) -> None:
    outcomes = {"path": str(data_folder() / "outcomes.csv")}
    items = table_of("questions.toml")["questions"]
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=CAPTURED_AT)
        numbers = {article.title: article.id for article in session.exec(select(Article))}
        for item in items:
            number = numbers[item["article"]]
            assert number is not None
            source = sources.find_passage(session, number, item["quote"])
            fields = {
                name: value
                for name, value in item.items()
                if name not in ("slug", "article", "quote")
            }
            question = registry.register(
                session,
                registry.question_text(**fields),
                member=editor,
                now=item["open_time"],
                slug=item["slug"],
                sources=[source],
            )
            assignments.attach(
                session,
                question,
                "outcomes_file",
                outcomes,
                member=editor,
                now=item["open_time"],
            )
    say(f"   {len(items)} questions, each with its criteria and the passage it comes from")


def _forecast(engine: Engine, say: Say) -> None:
    items = sorted(
        table_of("article_forecasts.toml")["forecasts"], key=lambda item: item["made_at"]
    )
    cited = 0
    with database.writing(engine) as session:
        addresses = {article.title: article for article in session.exec(select(Article))}
        for item in items:
            evidence = [_cited(entry, addresses) for entry in item.get("evidence", [])]
            cited += len(evidence)
            _update(session, item, evidence)
    people = {item["forecaster"] for item in items}
    say(f"   {len(items)} updates by {len(people)} people, citing evidence {cited} times")


def _update(session: Session, item: dict[str, Any], evidence: list[CitedEvidence]) -> None:
    at = item["made_at"]
    member = member_or_new(session, item["forecaster"], now=at)
    question = registry.find(session, item["question"])
    said = item.get("rationale", "")
    if item.get("withdrawn"):
        updates.withdraw(
            session, question, member=member, now=at, rationale=said, origin="demonstration"
        )
        return
    vector = item.get("probabilities")
    value = Value(
        probability=item.get("probability"), probabilities=None if vector is None else tuple(vector)
    )
    updates.update(
        session,
        question,
        value,
        member=member,
        now=at,
        rationale=said,
        evidence=evidence,
        origin="demonstration",
    )


def _cited(entry: dict[str, Any], articles: dict[str, Article]) -> CitedEvidence:
    """Return the evidence; where it is one of the captured articles, by that article's address."""
    article = articles.get(entry.get("title", ""))
    published = entry.get("published_at")
    if isinstance(published, date) and not isinstance(published, datetime):
        published = datetime.combine(published, time(), UTC)
    return CitedEvidence(
        url=entry.get("url") or (article.address if article is not None else None),
        note=entry.get("note", ""),
        title=entry.get("title", ""),
        kind=EvidenceKind(entry.get("kind", "news")),
        publisher=entry.get("publisher"),
        published_at=published,
        stance=Stance(entry.get("stance", "supports")),
        share=entry.get("share"),
    )


def _tournament(engine: Engine, now: datetime, say: Say) -> None:
    from scoring.simulation import simulate
    from scoring.tournament import Tournament

    tournament = Tournament.from_mapping(table_of("tournament.toml"))
    simulated = simulate(tournament)
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=now)
        done = import_frames(
            session,
            complete(simulated.questions, simulated.forecasts, simulated.teams),
            member=editor,
            now=now,
        )
    say(
        f"   {done.questions} simulated questions, {done.forecasts} forecasts, {done.scores} scores"
    )
    for team in tournament.teams:
        say(f"   {team.label}, {team.members} forecasters: {_way(team)}")


def _way(team: Team) -> str:
    """Return in what way the team was made to forecast, which the report should find out."""
    ways = []
    if team.extremity != 1:
        too = "overconfident" if team.extremity > 1 else "underconfident"
        ways.append(f"{too} (the log odds of each belief times {team.extremity:g})")
    if team.shift != 0:
        ways.append(f"too {'high' if team.shift > 0 else 'low'} (log odds {team.shift:+g})")
    if team.responsiveness < 1:
        ways.append(f"updates too little (each time {team.responsiveness:.0%} of the way)")
    return " and ".join(ways) or "calibrated"


def _resolve(engine: Engine, now: datetime, say: Say) -> None:
    summary = run.run(engine, now=now)
    for looked in summary.looked:
        if looked.state == RunState.confirmed:
            say(f"   {looked.slug}: {looked.message}")
        elif looked.state == RunState.failed:
            say(f"   failed: {looked.slug}: {looked.message}")
    with database.reading(engine) as session:
        standing = question_standing.listing(session, now=now)
    waiting = sum(1 for state in standing if state.status == question_standing.Status.awaiting)
    still_open = sum(1 for state in standing if state.status == question_standing.Status.open)
    say(
        f"   {summary.count(RunState.confirmed)} resolved by the outcomes file; {waiting} have "
        f"passed their deadline and await a person; {still_open} are still open"
    )


def _scores(engine: Engine, now: datetime, say: Say) -> None:
    first = table_of("questions.toml")["questions"][0]["slug"]
    with database.reading(engine) as session:
        state = question_standing.current_state(session, registry.find(session, first), now=now)
        assert state.resolution is not None
        say(f"   {state.text.title} {state.resolution.outcome.capitalize()}.")
        for score, handle in scores.of_question(session, state.resolution):
            if score.protocol == "brier":
                say(
                    f"   {handle}: {score.score:.3f} over {score.updates} updates, "
                    f"coverage {score.coverage:.0%}"
                )


def _report(engine: Engine, now: datetime, say: Say) -> None:
    with database.reading(engine) as session:
        frames = ledger_frames(session, words=False)
    say(as_text(reports.build(frames, by="team", as_of=now)))


def table_of(name: str) -> dict[str, Any]:
    """Return what a TOML file of the data folder holds."""
    return tomllib.loads((data_folder() / name).read_text(encoding="utf-8"))
