"""Forward-looking sentences: their cues, and the deadline that goes with each.

Strong cues are enough by themselves ("will", "plans to", "is expected to"). Weak cues need a
deadline: duties, agreements, schedules and the present tense ("meets on Friday").

Some phrases only resemble a cue: nouns ("political will"), hypotheticals ("would have"), past
habits and abilities, permissions, guesses about the present ("may be the oldest"), habits ("will
often"), old plans ("had planned to", "in 2019 the mayor promised"), questions, and requests to
the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from forecasts.reading.drafting.cues import CUES, Cue
from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.tense import is_in_the_past
from forecasts.reading.typography import plain_punctuation


@dataclass(frozen=True, slots=True)
class Outlook:
    """A cue in a sentence, and its deadline.

    ``match`` is the cue in ``plain_punctuation(sentence)``; ``Cue`` describes its groups.
    """

    cue: Cue
    match: re.Match[str]
    deadline: Deadline | None


def find_outlooks(sentence: str, deadlines: Sequence[Deadline]) -> list[Outlook]:
    """Return the outlooks of ``sentence``, the clearest first; none if it is not forward-looking.

    ``deadlines`` are those of the sentence. A cue's deadline is the first after it, or else the
    last before it ("By 2030, the port intends to …"). Strong cues come before weak ones, and
    within each group cues with a deadline come first.
    """
    words = plain_punctuation(sentence)
    if _QUESTION.search(words) or _REQUEST.match(words):
        return []
    found = [
        Outlook(cue, match, _governing(match.start(), deadlines))
        for cue in CUES
        for match in cue.pattern.finditer(words)
    ]
    found.sort(
        key=lambda outlook: (
            _RELATIVE.search(words, 0, outlook.match.start()) is not None,
            outlook.deadline is None,
            outlook.match.start(),
        )
    )
    strong, weak = filter(_is_strong_cue, found), filter(_is_weak_cue_with_deadline, found)
    return [*strong, *weak] or _by_date_alone(words, deadlines)


def _governing(cue_start: int, deadlines: Sequence[Deadline]) -> Deadline | None:
    after = [deadline for deadline in deadlines if deadline.end > cue_start]
    if not after:
        return deadlines[-1] if deadlines else None
    first, *others = after
    # "Next month, on August 22": the second is more precise.
    if others and others[0].start <= first.end + 3 and others[0].last_day <= first.last_day:
        return others[0]
    return first


# ---- cues that need no deadline

_RELATIVE = re.compile(r",\s(?:which|who)\s$")  # "Bulgaria, which joins the euro in May, must …"
_QUESTION = re.compile(r"\?[\"')\s]*$")
_REQUEST = re.compile(
    r"[\"'(]*(?:sign up|subscribe|click|please|would you|could you|read more|download|follow us"
    r"|listen|watch|see also|join us|to make|let us|let's|photo|picture|image|file)\b",
    re.IGNORECASE,
)
_NOUN_BEFORE = re.compile(
    r"(?:\b(?:the|an?|his|her|its|their|my|your|our|of|no|any|little|political|good|ill|free|strong"
    r"|popular|living|own|against|at|military|economic|financial|naval|collective|sheer)"
    r"|'s|s')\s+$",
    re.IGNORECASE,
)
_READER = re.compile(r"\b(?:[Yy]ou|[Rr]eaders|[Vv]isitors|[Ss]hoppers)\s+$")
_HABIT = re.compile(
    r"\b(?:often|always|usually|typically|generally|normally|traditionally|sometimes|back then"
    r"|as an? (?:boy|girl|child|student|young \w+)|in (?:the old|those) days|in (?:his|her) youth"
    r"|(?:once|twice|\w+ times) (?:an?|each|every) (?:hour|day|week|month|year)"
    r"|every (?:\w+|few|other) (?:hours|days|weeks|months|years)"
    r"|(?:each|every) (?:spring|summer|autumn|winter|morning|evening|day|night|week|month|year))\b",
    re.IGNORECASE,
)
_IF_ONLY = re.compile(
    r"\b[Ii]f\b[^;.]*\b(?:had|were|hadn't|weren't)\b|\b[Hh]ad (?:he|she|it|they|we|I|the)\b"
)
_LONG_AGO = re.compile(
    r"\b(?:[Ii]n|[Ss]ince|[Bb]y|of) (?:1\d|20)\d\d\b"
    r"|\b(?:years?|months?|decades?) (?:ago|earlier)\b"
    r"|\b[Ll]ast (?:year|decade|century)\b|\b(?:[Pp]revious|[Oo]riginally|[Oo]nce)\b"
)
_YEARS_AGO = re.compile(r"\byears? ago\b", re.IGNORECASE)
_LENGTH = re.compile(r"(?:with)?in (?!the )[^.,]*\b(?:day|week|fortnight|month|year|decade)s?$")
_A_PLAN = re.compile(r"\b(?:an?|the|this|that)\s+$")  # a noun: "votes on a plan to close"
_HAD = re.compile(r"\b(?:had|'d|having|having been|has long)\s+(?:\w+ly\s+)?$")
_REPORTED = re.compile(
    r"\b(?:said|says?|told|announced?s?|warn(?:ed|s)?|believes?|predict(?:ed|s)?|insist(?:ed|s)"
    r"|confirmed|added|fears?|thinks?|signall?ed|suggested|indicated|reported|saying|concerns?"
    r"|estimate[ds]?|forecasts?|expects?|argue[ds]?|claim(?:ed|s)?|promised|pledged|vowed|agreed"
    r"|hopes?|promises?|pledges?)\b"
)
# Subjects of a "would" outside reported speech: a proposal or an imagined event.
_SUPPOSED = re.compile(
    r"(?:^|[,;]\s|\b(?:and|but|that)\s)[\"']*(?:(?:[Tt]his|[Tt]hat|[Ii]t|[Ww]hich)"
    r"|(?:[Aa]n?|[Aa]ny|[Ss]uch|[Tt]hese|[Tt]hat)(?: [\w'-]+){1,4})\s+$|\bwhich\s+$"
    r"|\b(?:bill|plan|deal|rule|proposal|law|measure|tariff|agreement|move|amendment|merger|sale"
    r"|ban|draft|levy|tax|treaty|scheme|project|order|package|reform|pact|cut|resolution|budget"
    r"|legislation|change|sanction|ruling|successor|strike|takeover)s?\b[^;:.]{0,60}$"
)
_PERFECT = re.compile(r"have (?!to\b)")
_STATE = re.compile(
    r"(?:seem|appear|explain|sound|look|know|think|mean|believe|suggest|suppose|imagine|like|rather"
    r"|say|argue|prefer|recall|remember|recogni[sz]e|hear|smell|afford|barely|hardly|scarcely|speak"
    r"|contain|belong|depend|exist|swim|understand|wonder|notice|guess|admit|describe|count|do|tell"
    r"|comment)"
)
_DONE = re.compile(
    r"(?:have to\b|be\s+(?:\w+ly\s+)?(?!used|seen|heard|found|described|considered|regarded"
    r"|called|read|argued|felt|said|traced|explained|understood|viewed|compared|thought|mistaken|needed|based|related"
    r"|tired|interested|united|limited|hundred)(?:[a-z]{2,}(?:ed|en|wn|id|de|lt|ld|nt|ought)|cut"
    r"|hit|set|shut|put|lost|won|left|kept|met|split|able|forced|about|back|without|gone|over|ready"
    r"|part)\b)"
)
_REMARK = re.compile(
    r"(?:be (?:remembered|honest|recalled|familiar|all\b|forgiven|boys)|come as no surprise|not lie"
    r"|admit|never forget|need (?:an?|two|three|some)\b|find the\b|recogni[sz]e|know that|notice"
    r"|recall|see[.,]?(?:\"|$)|send you|remember|tell[.,]?$|tell (?:you|me|anyone)\b)"
)
_PERMITTED = re.compile(
    r"\b(?:law|rule|constitution|statute|code|act|treaty)s?\s+(?:say|state|allow|provide)s?\b"
    r"|\boffence\b"
    r"|\b[Uu]nder (?:the|its|a|an) (?:[\w-]+ ){0,3}(?:law|rules|statute|code|act|contract)\b"
    r"|\b[Uu]nder the terms of\b|\bat any time\b"
)
_COMPARED = re.compile(r"\b(?:more|less|as|twice|times|most|least|equally|how|was|were|been)\s+$")
_AIM = re.compile(
    r"\b(?:aim|goal|challenge|point|idea|task|job|purpose|trick|answer|key|problem|way|thing|role"
    r"|question|solution|temptation|duty|mission|what|who|blame)\s+$"
)
_SINCE_DONE = re.compile(
    r"\b(?:and|but|yet)\b[^;]*\b(?:did|didn't|did not|never did|has|have)(?: so| not)?[.\"']*$"
)
_UNDONE = re.compile(r"\b(?:but|until|before|though|although|when|except|only to|instead)\b")


def _is_strong_cue(outlook: Outlook) -> bool:
    match, dated = outlook.match, outlook.deadline is not None
    before, verb = match.string[: match.start()], match.groupdict().get("verb") or ""
    rest = match.string[match.start("verb") :] if verb else ""
    match outlook.cue.kind:
        case "will":
            is_remark = _PERFECT.match(rest) or _REMARK.match(rest) or _READER.search(before)
            is_open = dated or not (is_remark or _HABIT.search(match.string))
            return is_open and not _NOUN_BEFORE.search(before)
        case "would":
            return (
                _is_event(outlook, verb, rest)
                and not _is_old(outlook.deadline, before)
                and not _SINCE_DONE.search(match.string, match.end())
                and (dated or bool(_REPORTED.search(before) or _SUPPOSED.search(before)))
            )
        case "might":
            return (
                _is_event(outlook, verb, rest)
                and not _NOUN_BEFORE.search(before)
                and not _PERMITTED.search(match.string)
                and (dated or not match["modal"].startswith("could") or " not " not in match[0])
            )
        case "intends" | "pursues" | "expects" | "wants":
            is_noun = outlook.cue.kind == "intends" and _A_PLAN.search(before)
            had_plans = match[0].startswith("had") and not _REPORTED.search(before)
            return not (_HAD.search(before) or is_noun or had_plans)
        case "chance":
            return not is_in_the_past(match.string, match.start(), match.end(), has_verb=True)
        case "vowed":
            is_past = _HAD.search(before) or _SINCE_DONE.search(match.string, match.end())
            return not is_past and not _is_old(outlook.deadline, before)
        case "headline":
            is_sentence = match.string.endswith(".") or _FINITE.search(match.string)
            is_headline = _HEADLINE.fullmatch(before) and not is_sentence
            return bool(is_headline) and not _BARRED_INFINITIVE.search(before)
        case "coming":
            has_verb = re.match(r"is|are|looks?|seems?|appears?|remains?", match[0]) is not None
            return not is_in_the_past(match.string, match.start(), match.end(), has_verb=has_verb)
        case "bound":
            return not _AIM.search(before) and not _COMPARED.search(before)
        case "likely":
            return not _COMPARED.search(before)
        case "planned" | "was bound":
            is_past = _HAD.search(before) or _UNDONE.search(match.string, match.end())
            return not is_past and (dated or bool(_REPORTED.search(before)))
    return False


def _is_old(deadline: Deadline | None, before: str) -> bool:
    """Return whether a promise was made long ago, so that "within two years" has passed."""
    is_open = deadline is None or _LENGTH.match(deadline.phrase) is not None
    return is_open and _LONG_AGO.search(before) is not None


def _is_event(outlook: Outlook, verb: str, rest: str) -> bool:
    """Return whether a "would", "could", "may" or "might" refers to a possible future event."""
    words = outlook.match.string
    before = words[: outlook.match.start()]
    if _PERFECT.match(rest) or _IF_ONLY.search(words) or _HABIT.search(words):
        return False
    if outlook.deadline is not None:
        return True
    if outlook.match.groupdict().get("modal") and _YEARS_AGO.search(before):
        return False
    if re.search(r"\bfree of charge\b", words):
        return False
    if _READER.search(before):
        return False
    return bool(_DONE.match(rest)) if verb == "be" else not _STATE.fullmatch(verb)


# ---- cues that need a deadline

_BARRED_INFINITIVE = re.compile(
    r"\b(?:failed|managed|beg[au]n|started|continued|refused|declined|forced|able|unable|used|had"
    r"|tried|helped|enough|how|where|whether|what|who|willing|reluctant|right|ways?|took|takes|due"
    r"|according|thanks|prior|compared|owing|next|close|up|down|back"
    r"|(?:was|were|been|had)(?: \w+){1,3})\s+$"
)


def _is_weak_cue_with_deadline(outlook: Outlook) -> bool:
    match, deadline = outlook.match, outlook.deadline
    before, words = match.string[: match.start()], match.string
    if deadline is None or _is_old(deadline, before):
        return False
    if ";" in words[match.end() : deadline.start]:
        return False
    match outlook.cue.kind:
        case "agreed":
            was_given = _HAD.search(before) or _WAS_GIVEN.search(words, 0, match.end())
            return not was_given and deadline.end > match.start()
        case "set for" | "weak":
            return not _HAD.search(before)
        case "term":
            was_given = _WAS_GIVEN.search(words, 0, match.end())
            is_over = was_given is not None and _REPORTED.search(before) is None
            is_term = _TERM.match(deadline.phrase) and match.start() <= deadline.start < match.end()
            return bool(is_term) and not is_over
        case "present":
            has_verb = match.end() <= deadline.start
            is_noun = _DETERMINER_BEFORE.search(before) or _HABIT.search(words)
            return not is_noun and not is_in_the_past(
                words, deadline.start, deadline.end, has_verb=has_verb
            )
        case "infinitive":
            return deadline.start > match.start() and not _BARRED_INFINITIVE.search(before)
    return False


_TERM = re.compile(r"until|till|has|have|giv|gave|allow")
_WAS_GIVEN = re.compile(r"\b(?:had|(?:was|were|had been) (?:given|allowed))\b")
_DETERMINER_BEFORE = re.compile(
    r"\b(?:the|an?|his|her|its|their|this|that|of|'s)\s+$", re.IGNORECASE
)
_HEADLINE = re.compile(r"[\"']?[A-Z][\w.&'-]*(?: [\w.&'-]+){0,5}\s+")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|will|would|can|could|may|might|says?|said|why|how"
    r"|it|he|she|they|[a-z]+ed|makes?|takes?|gets?|remains?|seems?|came|went|fell|made|took)\b"
)
_DEFINITE = re.compile(
    r"\d|(?<!to)day\b|\b(?:this (?:spring|summer|autumn|fall|winter)|next|later|coming|tomorrow"
    r"|tonight|within|by|until|before|end|weekend|late|early|mid|through|fortnight|time|another)\b",
    re.IGNORECASE,
)


def _by_date_alone(words: str, deadlines: Sequence[Deadline]) -> list[Outlook]:
    """Return the outlook of a sentence without a cue but with a definite, future time."""
    if _HABIT.search(words) or _IF_ONLY.search(words) or _CAN_BE.search(words):
        return []
    for deadline in deadlines:
        match = _DEFINITE.search(words, deadline.start, deadline.end)
        before, after = words[: deadline.start], words[deadline.end :]
        if (
            match
            and len((before + after).split()) >= 3  # more than a page's date
            and not _is_old(deadline, before)
            and not is_in_the_past(words, deadline.start, deadline.end)
        ):
            return [Outlook(_DATE, match, deadline)]
    return []


_CAN_BE = re.compile(r"\bcan be\b")
_DATE = Cue("date", "strikes on Friday", _DEFINITE)
