"""The demonstration ledger: the whole journey, through the same verbs that members use.

article -> question -> forecast with evidence -> scheduled resolution run -> scores -> report

It is built from scratch, in its own file in the data folder; any other ledger is left alone. The
app opens it as the sample ledger. The articles are summaries in our own words, and
``data/outcomes.csv`` lists the outcomes with their sources. The forecasters, the tournament and the
newest articles are simulated, as their names say.
"""

from __future__ import annotations

import csv
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.articles.capture import capture
from forecasts.articles.drafts import draft_questions
from forecasts.common import settings
from forecasts.common.errors import LedgerError, Refused
from forecasts.common.text import count
from forecasts.common.times import read_time
from forecasts.documents.numbers import number, percent
from forecasts.folder.frames import complete
from forecasts.importing.frames import import_frames
from forecasts.ledger import database, head, schema
from forecasts.ledger.models import Article, EvidenceKind, Ledger, MemberKind, RunState, Stance
from forecasts.ledger.sqlite_file import Kind, kind_of, replace_contents
from forecasts.news import matches, stories
from forecasts.questions import passages, registry, standing
from forecasts.questions.standing import Status
from forecasts.reading.article import CapturedArticle
from forecasts.reading.text_quotes import TextQuote
from forecasts.reports import build as build_report
from forecasts.reports import formats
from forecasts.resolution import assignments
from forecasts.resolution.runs import run
from forecasts.scores import stored_scores
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from scoring.simulation import Team, Tournament, simulate

# The day on which the page with the three articles was seen; "2 days ago" on it counts from then.
CAPTURED_AT = datetime(2025, 7, 24, tzinfo=UTC)
# The member that captures the articles and registers the questions.
EDITOR = "demonstration"
# The simulated forecaster in whose place the app's reader sees the sample. She has tasks, among the
# questions of the articles, and most to show: in the tournament she takes the place of a calibrated
# member with the most questions. Scores would not choose: chance explains their differences.
READER = "Emi (simulated)"
MOST_TO_SHOW = "Wren 3 (simulated)"

Echo = Callable[[str], None]


def ledger_path() -> Path:
    """Return the file of the demonstration ledger, in the data folder."""
    return settings.data_folder() / "demonstration.sqlite3"


def data_folder() -> Path:
    """Return the folder of the article questions, in an installed package or a checkout."""
    package = Path(__file__).parents[1]  # forecasts
    for folder in (package / "data", package.parent / "data"):
        if (folder / "questions.toml").is_file():
            return folder
    raise LedgerError(
        "The article questions are not installed.", remedy="Install forecast-ledger again."
    )


def build(*, now: datetime, echo: Echo) -> str:
    """Return the URL of the demonstration ledger, which is built from scratch.

    ``echo`` is called with each line to print. The ledger is built aside and replaces the last one
    in one step, so that an app which serves that one continues with the new one. Refused if the
    file is not a demonstration.
    """
    path = ledger_path()
    if kind_of(path) not in (Kind.nothing, Kind.demonstration):
        raise Refused(
            f"{str(path)!r} is not a demonstration ledger, so it was not changed.",
            remedy="Move it elsewhere and run the demonstration again.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="demonstration-", dir=path.parent) as aside:
        draft = Path(aside) / path.name
        engine = database.open_engine(settings.sqlite_url(draft))
        try:
            walk(engine, now=now, echo=echo)
        finally:
            engine.dispose()
        replace_contents(path, draft)
        head.beside(path).unlink(missing_ok=True)
    return settings.sqlite_url(path)


def opened(*, now: datetime, echo: Echo) -> str:
    """Return the URL of the demonstration ledger, which is built only if there is none yet."""
    if kind_of(ledger_path()) is Kind.demonstration:
        return settings.sqlite_url(ledger_path())
    return build(now=now, echo=echo)


def is_demonstration(session: Session) -> bool:
    """Return whether this ledger is a demonstration."""
    return any(session.exec(select(Ledger.demonstration)).all())


def walk(engine: Engine, *, now: datetime, echo: Echo) -> None:
    """Write the demonstration into an empty ledger, step by step."""
    schema.migrate(engine)
    with database.writing(engine) as session:
        session.add(Ledger(created_at=now, demonstration=True))
    echo("1. Capture: three news articles of July 2025 (summaries in our own words)")
    _capture(engine, echo)
    echo("2. Register: questions from the articles")
    _register(engine, echo)
    echo("3. Forecast: five simulated forecasters update as evidence comes in")
    _forecast(engine, echo)
    echo("4. Import: a simulated tournament of three teams")
    _tournament(engine, now, echo)
    echo("5. Scheduled run: resolve questions from a file of outcomes, and score them")
    _resolve(engine, now, echo)
    echo("6. News: simulated articles, and the open questions they bear on")
    _news(engine, now, echo)
    echo("7. Scores: the first question (Brier score, 0 is best, 1 is worst)")
    _scores(engine, now, echo)
    echo("8. Calibration report of the simulated teams\n")
    with database.reading(engine) as session:
        frames = ledger_frames(session, rationales=False)
    echo(str(formats.rendered(build_report(frames, by="team", as_of=now), "text")))


def _capture(engine: Engine, echo: Echo) -> None:
    captured = capture(str(data_folder() / "articles.txt"), captured_at=CAPTURED_AT)
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=CAPTURED_AT, kind=MemberKind.service)
        library.store(session, captured, member=editor, captured_at=CAPTURED_AT)
    for article in captured:
        published = (article.published_at or CAPTURED_AT).date()
        drafts = draft_questions(article.text, published_at=published)
        possible = count(len(drafts), "possible question")
        echo(f"   {article.title} ({article.publisher}, {published}): {possible}")


def _register(engine: Engine, echo: Echo) -> None:
    outcomes = {"path": str(data_folder() / "outcomes.csv")}
    items = table_of("questions.toml")["questions"]
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=CAPTURED_AT)
        numbers = {article.title: article.id for article in session.exec(select(Article))}
        for item in items:
            number = numbers[item["article"]]
            assert number is not None
            source = passages.find_passage(session, number, TextQuote(item["quote"]))
            fields = {n: item[n] for n in item if n not in ("slug", "article", "quote")}
            text, at = registry.question_text(**fields), item["open_time"]
            question = registry.register(
                session, text, member=editor, now=at, slug=item["slug"], sources=[source]
            )
            assignments.attach(session, question, "outcomes_file", outcomes, member=editor, now=at)
    echo(f"   {len(items)} questions, each with resolution criteria and its source passage")


def _forecast(engine: Engine, echo: Echo) -> None:
    items = sorted(table_of("article_forecasts.toml")["forecasts"], key=itemgetter("made_at"))
    with database.writing(engine) as session:
        addresses = {article.title: article for article in session.exec(select(Article))}
        for item in items:
            at, vector = item["made_at"], item.get("probabilities")
            question = registry.find(session, item["question"])
            given: dict[str, Any] = {
                "member": member_or_new(session, item["forecaster"], now=at),
                "now": at,
                "rationale": item.get("rationale", ""),
                "origin": "demonstration",
            }
            if item.get("withdrawn"):
                updates.withdraw(session, question, **given)
                continue
            value = Value(item.get("probability"), None if vector is None else tuple(vector))
            evidence = [_cited(entry, addresses) for entry in item.get("evidence", [])]
            updates.update(session, question, value, evidence=evidence, **given)
    cited = sum(len(item.get("evidence", [])) for item in items)
    echo(f"   {len(items)} updates, {cited} citations of evidence")


def _cited(entry: dict[str, Any], articles: dict[str, Article]) -> CitedEvidence:
    """Return the evidence, with the address of the captured article if it is one."""
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


def _tournament(engine: Engine, now: datetime, echo: Echo) -> None:
    tournament = Tournament.from_mapping(table_of("tournament.toml"))
    simulated = simulate(tournament)
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=now)
        forecasts, teams = (
            table.replace({"forecaster": {MOST_TO_SHOW: READER}})
            for table in (simulated.forecasts, simulated.teams)
        )
        frames = complete(simulated.questions, forecasts, teams)
        done = import_frames(session, frames, member=editor, now=now)
    echo(
        f"   {done.questions} questions, {done.forecasts:,} forecasts, {done.scores:,} scores. The "
        "teams were simulated as:"
    )
    for team in tournament.teams:
        echo(f"   {team.label}, {team.members} forecasters: {_tendency(team)}")


def _tendency(team: Team) -> str:
    """Return the simulated tendency of the team, which the report should detect."""
    confident = "overconfident" if team.extremity > 1 else "underconfident"
    high = "high" if team.shift > 0 else "low"
    tendencies = {
        f"{confident} (log odds times {team.extremity:g})": team.extremity != 1,
        f"too {high} (log odds {team.shift:+g})": team.shift != 0,
        f"updates too little ({team.responsiveness:.0%} of the way each time)": (
            team.responsiveness < 1
        ),
    }
    return " and ".join(said for said, has in tendencies.items() if has) or "calibrated"


def _resolve(engine: Engine, now: datetime, echo: Echo) -> None:
    summary = run.run(engine, now=now)
    labels = {RunState.confirmed: "", RunState.failed: "failed: "}
    for result in summary.results:
        if result.state in labels:
            echo(f"   {labels[result.state]}{result.slug}: {result.message}")
    with database.reading(engine) as session:
        statuses = Counter(state.status for state in standing.listing(session, now=now))
    echo(
        f"   {summary.count(RunState.confirmed)} resolved, {statuses[Status.awaiting]} past their "
        f"deadline and awaiting a person, {statuses[Status.open]} still open"
    )


def _news(engine: Engine, now: datetime, echo: Echo) -> None:
    given = table_of("news.toml")
    captured = [
        CapturedArticle(
            title=item["title"],
            publisher=given["publisher"],
            author=None,
            published_at=now - timedelta(hours=item["hours_ago"]),
            url=None,
            text=item["text"].strip().format(year=now.year + 1),
        )
        for item in given["articles"]
    ]
    with database.writing(engine) as session:
        editor = member_or_new(session, EDITOR, now=now)
        library.store(session, captured, member=editor, captured_at=now)
        found = matches.catch_up(session, now=now)
    stories.catch_up(engine, clock=lambda: now, now=now)
    echo(f"   {len(captured)} articles, {count(found, 'match', 'matches')} with open questions")


def _scores(engine: Engine, now: datetime, echo: Echo) -> None:
    first = table_of("questions.toml")["questions"][0]["slug"]
    with database.reading(engine) as session:
        state = standing.current_state(session, registry.find(session, first), now=now)
        assert state.resolution is not None
        echo(f"   {state.text.title} {state.resolution.outcome.capitalize()}.")
        for score, handle in stored_scores.resolution_scores(session, state.resolution):
            if score.protocol == "brier":
                echo(
                    f"   {handle}: {number(score.score)} ({score.updates} updates, "
                    f"coverage {percent(score.coverage)})"
                )


def table_of(name: str) -> dict[str, Any]:
    """Return the contents of a TOML file in the data folder."""
    return tomllib.loads((data_folder() / name).read_text(encoding="utf-8"))


def outcomes(now: datetime) -> dict[str, dict[str, Any]]:
    """Return the cells of each outcome known by ``now``, by the question's slug."""
    with (data_folder() / "outcomes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["question"]: {
            "resolution": row["outcome"],
            "known_at": known,
            "resolution_source": row["source"],
            "resolution_note": row["note"],
        }
        for row in rows
        if (known := read_time(row["known_at"])) <= now
    }
