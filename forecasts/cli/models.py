"""The commands for the language model: draft, and the group model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

from forecasts.access import teams
from forecasts.cli import console
from forecasts.cli.console import confirm, when, zone
from forecasts.cli.dates import time_of
from forecasts.cli.forecast import typed_value
from forecasts.cli.options import (
    QuestionSlug,
    TakesNegativeValues,
    TextOrJson,
    VisibleTo,
    Yes,
    argument,
    flag,
    option,
)
from forecasts.cli.outputs import progress_bar
from forecasts.cli.printing import print_line, print_note, printed_json
from forecasts.cli.root import app, group
from forecasts.cli.session import acting, ledger, next_step, reading_as, settings
from forecasts.common.errors import NotFound, Refused
from forecasts.common.text import amount, count, on_one_line
from forecasts.ledger.database import writing
from forecasts.ledger.models import Decision, ModelCall, Question
from forecasts.proposals import (
    calls,
    challenges,
    decisions,
    model_forecasts,
    model_outcomes,
    trials,
)
from forecasts.proposals.accounts import accounts
from forecasts.proposals.endpoint import Endpoint, Unanswered, configured, required, tokens_in
from forecasts.proposals.kinds import Wanted
from forecasts.proposals.prompts import most_tokens
from forecasts.questions import registry
from forecasts.values.typed_dates import read_date
from forecasts.views import proposals as views
from forecasts.views.model_accounts import account_lines, model_account

model = group("model", help="See your language model's calls, and decide on its proposals.")

ArticleNumber = Annotated[int, argument("ARTICLE", "The article's number.")]
ProposalNumber = Annotated[int, argument("PROPOSAL", "The proposal's number.")]
_CALLS = 20
_FAILURES = 3  # one after the other, after which a trial ends


@app.command()
def draft(article: ArticleNumber, format_: TextOrJson = "text") -> None:
    """Ask your language model for questions from an article.

    One request is sent to FORECASTS_MODEL_URL; to see it first: forecasts model preview ARTICLE.
    Each proposal quotes the article. No question is asked until you accept it.
    """
    endpoint = required(settings())
    asked = _asked(endpoint, Wanted("questions", article=article), format_)
    with reading_as() as (session, who, now):
        listed = decisions.listing(session, who, only=asked.proposals)
        made = views.proposals(session, listed, now=now)
    dropped = {"misquoted": asked.misquoted, "unusable": asked.unusable}
    if printed_json(format_, views.Proposals(call=asked.call, proposals=made, **dropped)):
        return
    _print_proposals(made)
    if asked.misquoted:
        why = "the article does not have the passage quoted"
        print_note(f"{count(asked.misquoted, 'proposal')} dropped: {why}.")
    if asked.unusable:
        print_note(f"{count(asked.unusable, 'proposal')} dropped: not usable as a question.")
    if not made:
        print_note(f"{endpoint.model} has no usable proposal for this article.")


def _asked(endpoint: Endpoint, wanted: Wanted, format_: str) -> calls.Asked:
    """Return the model's proposals, which are written."""
    if format_ == "text":
        once, twice = f"{endpoint.seconds:g}", f"{2 * endpoint.seconds:g}"
        most = f"up to {once} seconds, or {twice} if it must answer again"
        print_note(f"Asking {endpoint.model} at {endpoint.host} ({most}) …")
    engine = ledger(settings())
    begins = partial(acting, engine=engine)
    return calls.ask_model(begins, partial(writing, engine, console.now), endpoint, wanted)


def _print_proposals(made: list[views.Proposal]) -> None:
    for one in made:
        closes = f"closes {one.close_date}" if one.decision is None else str(one.decision)
        print_line(f"{one.number}. {one.title} ({closes})", style="bold")
        if one.options:
            print_line(f"   options: {', '.join(one.options)}")
        elif one.type.is_quantitative:
            unit = f" {one.unit}" if one.unit else ""
            print_line(f"   from {one.lower_bound} to {one.upper_bound}{unit}")
        print_line(f"   {on_one_line(one.resolution_criteria)}")
        if one.fine_print:
            print_line(f"   edge cases: {on_one_line(one.fine_print)}")
        print_line(
            f"   {one.model}, article {one.article}: “{on_one_line(one.quote)}”", style="dim"
        )
        if one.told:
            print_line(f"   the article may tell the outcome: “{on_one_line(one.told)}”")
        if one.like:
            print_line(f"   like an existing question: {one.like}")
    if first := next((str(one.number) for one in made if one.decision is None), ""):
        print_note(f"To ask it: {next_step('model accept', first, 'P')}")
        print_note(f"If not: {next_step('model dismiss', first)}")


@model.command()
def show(format_: TextOrJson = "text") -> None:
    """Show your language model and today's use of its budget."""
    endpoint = configured(settings())
    if endpoint is None:
        if not printed_json(format_, None):
            print_line("No model is set, so nothing is sent. See docs/models.md.")
        return
    with reading_as() as (session, _, now):
        one = views.settings(endpoint, calls.used_today(session, endpoint, now=now))
    if printed_json(format_, one):
        return
    print_line(f"{one.model} at {one.host}", style="bold")
    print_line(f"key: {'set' if one.has_key else 'none'}; timeout: {one.timeout:g} seconds")
    print_line(f"may be asked by: {', '.join(one.callers) or 'every member who may ask'}")
    print_line(
        f"today: {count(one.calls, 'call')}, {one.tokens_used:,} of {one.tokens:,} tokens, "
        f"cost {amount(one.cost_used)}" + ("" if one.cost is None else f" of {amount(one.cost)}")
    )


@model.command()
def preview(
    subject: Annotated[
        str,
        argument(
            "ARTICLE|QUESTION",
            "An article's number, as for forecasts draft; or a question's ID, as for forecasts "
            "model forecast.",
        ),
    ],
    kind: Annotated[
        Literal["forecast", "outcome", "challenge"],
        option("KIND", "forecast, outcome or challenge of a question."),
    ] = "forecast",
) -> None:
    """Print the request that would be sent. Nothing is sent."""
    endpoint = required(settings())
    wanted = Wanted(kind, question=subject)
    if subject.isdecimal():
        wanted = Wanted("questions", article=int(subject))
    with reading_as() as (session, _, now):
        print_line(calls.preview(session, endpoint, wanted, now=now))


@model.command("calls")
def calls_(format_: TextOrJson = "text") -> None:
    """List your last 20 calls to the model. Admins see everyone's."""
    with reading_as() as (session, who, now):
        found = calls.listing(session, who, now=now, most=_CALLS)
        listed = [views.call(session, *one) for one in found]
    if printed_json(format_, listed):
        return
    if not listed:
        print_note("No calls of a model yet.")
    for one in listed:
        print_line(f"{one.number}. {when(one.at)} {one.model} at {one.host}, by {one.by}")
        print_line(f"   {one.kind}, {views.subject(one)}: {_said(one)}")
    if listed:
        print_note(
            f"To see the request and the answer: {next_step('model call', str(listed[0].number))}"
        )


def _said(one: views.ModelCall) -> str:
    used = ", ".join(views.used(one)) or "no answer"
    return f"{one.reason} ({used})" if one.reason else used


@model.command()
def call(
    number: Annotated[int, argument("CALL", "The call's number.")], format_: TextOrJson = "text"
) -> None:
    """Print the request and the answer of a call."""
    with reading_as() as (session, who, now):
        found = calls.find_call(session, number, who, now=now)
        one = views.call_text(session, *found, who, now=now)
    if printed_json(format_, one):
        return
    print_line(f"Call {one.number}, {when(one.at)}: {one.model} at {one.host}", style="bold")
    print_line(f"SHA-256 of the request: {one.prompt_hash}")
    print_line(_said(one))
    print_line("\nSent:", style="bold")
    print_line(one.request)
    print_line("\nAnswered:", style="bold")
    print_line(one.answer)


@model.command("accounts")
def accounts_(format_: TextOrJson = "text") -> None:
    """Sum up each model's calls, their cost, and the decisions.

    Admins see everyone's calls.
    """
    with reading_as() as (session, who, now):
        found = [model_account(one) for one in accounts(session, who, now=now)]
    if printed_json(format_, found):
        return
    if not found:
        print_note("No calls of a model yet.")
    for one in found:
        print_line(f"{one.model}, {one.kind}", style="bold")
        for line in account_lines(one):
            print_line(f"   {line}")


@model.command()
def forecast(question: QuestionSlug, format_: TextOrJson = "text") -> None:
    """Ask for a forecast with its reasons. It is hidden until you have forecast.

    The question and up to five articles on it are sent, and no forecasts. Once you have forecast
    too, it is shown, and recorded as a forecast of the model's bot.
    """
    endpoint = required(settings())
    asked = _asked(endpoint, Wanted("forecast", question=question), format_)
    if not asked.proposals:
        raise Refused(
            f"{endpoint.model} gave no forecast that can be read.",
            remedy=f"See it: {next_step('model call', str(asked.call))}",
        )
    _show_forecast(asked.proposals[0], endpoint.model, question, format_)


@model.command("try")
def try_(
    question: Annotated[
        list[str] | None, option("ID", "Only on this question; repeat for more.")
    ] = None,
    most: Annotated[int | None, option("N", "Make at most so many calls.", min=1)] = None,
    yes: Yes = False,
    format_: TextOrJson = "text",
) -> None:
    """Try a model on your own past questions, and compare it with you.

    It is compared with the crowd too. It is asked about each question of yours whose scheduled
    close has passed, as of your first forecast: with the wording of that time, and articles that
    were captured by then. Its answers are never recorded as forecasts. Run it again to continue.
    """
    endpoint = required(settings())
    trained = settings().model_trained
    with reading_as() as (session, who, now):
        if who is None:
            raise Refused("You have no forecasts yet, so there is no question to try it on.")
        found = trials.plan(
            session, who, endpoint.model, now=now, only=question or (), trained=trained
        )
        ready, requests = found.ready[:most], list[str]()
        with progress_bar("Preparing", "requests", total=len(ready)) as show:
            for one in ready:
                requests.append(calls.preview(session, endpoint, one, now=now))
                show(len(requests))
    _print_plan(found)
    if ready:
        tokens = sum(map(tokens_in, requests)), len(ready) * most_tokens(trials.KIND)
        cost = amount(endpoint.cost_of(*tokens))
        used = f"at most {sum(tokens):,} tokens, cost {cost}"
        confirm(f"Ask {endpoint.model} {count(len(ready), 'time')} ({used})?", yes=yes)
        _try(endpoint, ready)
    with reading_as() as (session, who, now):
        assert who is not None
        comparison, many = trials.result(session, who, endpoint.model, now=now)
    note = f"It may know outcomes from its training; {count(many, 'question')} tried."
    print_note(note if trained is None else f"Trained until {trained}; {note.split('; ')[1]}")
    # It loads pandas, which the other commands need not.
    from forecasts.cli.reports import emit_document

    emit_document(comparison, format_, None)


def _print_plan(plan: trials.Plan) -> None:
    left_out = (
        (plan.tried, "tried already"),
        (plan.unsendable, "of others, which not everyone may see"),
        (plan.undated, "without the wording or the time of your first forecast"),
        (plan.known, "forecast before its last training data"),
    )
    for number, why in left_out:
        if number:
            print_note(f"Left out: {count(number, 'question')} {why}.")


def _try(endpoint: Endpoint, ready: Sequence[Wanted]) -> None:
    """Ask the model about each; what was answered is kept if it is stopped."""
    failed = answered = 0
    engine = ledger(settings())
    ways = partial(acting, engine=engine), partial(writing, engine, console.now)
    with progress_bar("Asking", "questions", total=len(ready)) as show:
        try:
            for done, wanted in enumerate(ready):
                show(done)
                try:
                    calls.ask_model(*ways, endpoint, wanted)
                except Unanswered as error:
                    failed += 1
                    print_note(f"{wanted.question}: {error}")
                    if failed == _FAILURES:
                        break
                    continue
                failed, answered = 0, answered + 1
        except Refused as error:  # as the day's budget is used up
            print_note(str(error))
        except KeyboardInterrupt:
            print_note("Stopped.")
    if answered < len(ready):
        again = next_step("model try")
        print_note(f"{answered} of {len(ready)} answered. To go on: {again}")


@model.command()
def reveal(proposal: ProposalNumber, format_: TextOrJson = "text") -> None:
    """Show a forecast of the model, once you have made your own."""
    _show_forecast(proposal, "", "", format_)


def _show_forecast(number: int, model_name: str, question: str, format_: str) -> None:
    """Print the forecast, or that it is hidden if it was asked for just now (``question``)."""
    with acting() as (session, who, now):
        row = decisions.find(session, number, who)
        call = session.get_one(ModelCall, row.model_call_id)
        if question and model_forecasts.is_hidden(session, call, who, now=now):
            one = views.hidden_forecast(number, model_name, question)
        else:
            found = model_forecasts.reveal(session, number, member=who, now=now)
            one = views.model_forecast(found)
    if printed_json(format_, one):
        return
    if one.hidden:
        print_line(f"{one.model} has forecast {one.question}. It is hidden until you have too.")
        first = next_step("update", question, "P")
        print_note(f"Next: {first}, then {next_step('model reveal', str(number))}")
        return
    print_line(f"{one.model} on {one.question}: {one.value}", style="bold")
    print_line(f"   base rate: {on_one_line(one.base_rate)}")
    print_line(f"   of: {on_one_line(one.reference_class)}")
    for label, reasons in (("for", one.evidence_for), ("against", one.evidence_against)):
        for reason in reasons:
            print_line(f"   {label}: {on_one_line(reason.point)}")
            if reason.quotation:
                print_line(f"      “{on_one_line(reason.quotation)}”", style="dim")
    if one.forecast is None:
        print_note(
            "This was not recorded as the bot's forecast: you dismissed it, the question has "
            "closed or was reworded, or the bot may not see it, or has a later forecast."
        )


@model.command()
def outcome(
    question: QuestionSlug,
    article: Annotated[
        list[int] | None, option("N", "Send this article too; repeat for each.")
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Ask for the outcome that articles show, with their passages.

    The question and up to five articles are sent. No outcome is proposed automatically.
    """
    endpoint = required(settings())
    wanted = Wanted("outcome", question=question, articles=tuple(article or ()))
    asked = _asked(endpoint, wanted, format_)
    if not asked.proposals:
        raise Refused(
            f"{endpoint.model} gave no outcome with a passage that an article has.",
            remedy=f"See it: {next_step('model call', str(asked.call))}",
        )
    with acting() as (session, who, _):
        found = model_outcomes.find(session, asked.proposals[0], who)
        one = views.model_outcome(found)
    if printed_json(format_, one):
        return
    said = one.outcome or one.answer.replace("_", " ")
    known = f", known {when(one.known_at)}" if one.known_at else ""
    print_line(f"{one.model} on {one.question}: {said}{known}", style="bold")
    for passage in one.passages:
        print_line(f"   “{on_one_line(passage.quotation)}” (article {passage.article})")
        print_line(f"      {on_one_line(passage.meets)}", style="dim")
    if one.note:
        print_line(f"   {on_one_line(one.note)}")
    if one.outcome:
        print_note(f"To propose it: {next_step('model propose', str(one.number))}")
    print_note(f"If not: {next_step('model dismiss', str(one.number))}")


@model.command()
def propose(
    proposal: ProposalNumber,
    outcome: Annotated[str | None, argument("OUTCOME", "Another outcome than the model's.")] = None,
) -> None:
    """Propose, in your name, the outcome that a model found."""
    with acting() as (session, who, now):
        made = model_outcomes.accept(session, proposal, member=who, now=now, outcome=outcome)
        slug, said = session.get_one(Question, made.question_id).slug, made.outcome
    print_line(f"{slug}: proposed {said}")
    print_note(f"To decide: {next_step('resolve', slug, said)}")


@model.command()
def challenge(
    question: QuestionSlug,
    last: Annotated[
        bool, flag("--last", "Show the last challenge again. Nothing is sent.")
    ] = False,
    format_: TextOrJson = "text",
) -> None:
    """Ask for the strongest case against your forecast.

    The question, up to five articles on it, and your current forecast are sent, and nobody else's.
    """
    number = _last_challenge(question) if last else None
    if number is None:
        endpoint = required(settings())
        asked = _asked(endpoint, Wanted("challenge", question=question), format_)
        if not asked.proposals:
            raise Refused(
                f"{endpoint.model} gave no case against your forecast.",
                remedy=f"See it: {next_step('model call', str(asked.call))}",
            )
        number = asked.proposals[0]
    with acting() as (session, who, _):
        one = views.model_challenge(challenges.find(session, number, who))
    if printed_json(format_, one):
        return
    print_line(f"{one.model} against {one.forecast} on {one.question}:", style="bold")
    print_line(f"   {on_one_line(one.case)}")
    for point in one.points:
        print_line(f"   {on_one_line(point.point)}")
        if point.quotation:
            print_line(f"      “{on_one_line(point.quotation)}”", style="dim")
    for check in one.review:
        print_line(f"   check: {on_one_line(check)}")
    print_note(f"To change your forecast: {next_step('update', one.question, 'P')}")
    if one.decision is None:
        print_note(f"To dismiss it: {next_step('model dismiss', str(one.number))}")


def _last_challenge(slug: str) -> int:
    """Return the number of the newest challenge on a question; NotFound without one."""
    with acting() as (session, who, _):
        about = registry.find(session, slug)
        found = calls.newest_proposal(session, calls.Subject(who, "challenge", question=about.id))
        if found is None:
            raise NotFound(
                f"No model has challenged your forecast of {slug!r}.",
                remedy=f"Ask one: {next_step('model challenge', slug)}",
            )
        return found.id


@model.command("proposals")
def proposals_(
    everything: Annotated[bool, flag("--all", "List decided ones too.")] = False,
    format_: TextOrJson = "text",
) -> None:
    """List a model's proposals of every kind."""
    with reading_as() as (session, who, now):
        listed = decisions.listing(session, who, decided=everything)
        made = views.proposals(session, listed, now=now)
        others = decisions.about_questions(session, who, decided=everything)
        about = [views.about_question(session, one, who, now=now) for one in others]
    if printed_json(format_, [*made, *about]):
        return
    if not made and not about:
        print_note("No proposals. Ask for some: forecasts draft ARTICLE")
    for one in about:
        question = one.question or "a question"
        said = f": {one.answer.replace('_', ' ')}" if one.answer else ""
        print_line(f"{one.number}. {one.kind} on {question}{said} ({_state(one)})", style="bold")
    _print_proposals(made)


def _state(one: views.ProposalAboutQuestion) -> str:
    """Return the state of a proposal about a question in words."""
    if one.hidden:
        return "hidden until you have forecast"
    if one.kind == "forecast" and one.decision is not Decision.dismissed:
        return "not shown yet" if one.decision is None else "shown"
    if one.kind == "challenge" and one.decision is None:
        return "shown"
    return "open" if one.decision is None else str(one.decision)


@model.command(cls=TakesNegativeValues)
def accept(
    proposal: ProposalNumber,
    value: Annotated[str | None, argument("P", "Your forecast, as for: forecasts update.")] = None,
    title: Annotated[str | None, option("TEXT", "Your own wording.")] = None,
    closes: Annotated[str | None, option("TIME", "Another last day (or time) to forecast.")] = None,
    criteria: Annotated[str | None, option("TEXT", "Your own resolution criteria.")] = None,
    fine_print: Annotated[str | None, option("TEXT", "Your own edge cases.")] = None,
    visible_to: VisibleTo = None,
) -> None:
    """Ask a proposed question in your name. With P, forecast it too.

    Options change it first.
    """
    with acting() as (session, who, now):
        found, _ = decisions.draft_of(session, proposal, who)
        assert found.close_date is not None
        day = read_date(found.close_date.isoformat(), now=now, zone=zone())
        fields: dict[str, Any] = {
            "title": title or found.question,
            **found.type_fields,
            "resolution_criteria": found.criteria if criteria is None else criteria,
            "fine_print": found.fine_print if fine_print is None else fine_print,
            "open_time": now,
            "scheduled_close_time": time_of(closes, end_of_day=True, moment=now) or day,
        }
        text = registry.question_text(**fields, **teams.visibility_fields(session, visible_to))
        again = partial(next_step, "model accept", str(proposal))
        given = None if value is None else typed_value(value, text, now=now, again=again)
        asked = decisions.accept(
            session,
            proposal,
            text,
            given,
            member=who,
            now=now,
            audience_chosen=visible_to is not None,
        )
        name = asked.question.slug
    print_line(name)
    words = ("update", name, "P") if value is None else ("show", name)
    print_note(f"Next: {next_step(*words)}")


@model.command()
def dismiss(
    proposal: ProposalNumber,
    undo: Annotated[bool, flag("--undo", "Reopen the proposal.")] = False,
) -> None:
    """Dismiss a proposal. It stays in the ledger."""
    with acting() as (session, who, now):
        verb = decisions.reopen if undo else decisions.dismiss
        verb(session, proposal, member=who, now=now)
    print_line(f"{proposal}: {'open again' if undo else 'dismissed'}")
