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

from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.verbs import REPORTING, is_in_the_past
from forecasts.reading.lines import plain_punctuation

# ---- the cues
#
# The same words need not be a cue in every sentence ("political will"); the rules below decide.


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue; its ``kind`` decides which rules of ``forward_looking`` apply.

    The groups of ``pattern`` are used for the wording: "verb" is a verb in base form, "present"
    one in the present tense, "doing", "gerund" and "done" are other verb forms; "subject" is a
    subject inside the cue, "event" and "chance" are nouns that will take place, "measure" one
    that will be counted, "moved" is the verb of a postponement.
    """

    kind: str
    pattern: re.Pattern[str]


ADVERBS = (
    r"(?:(?:not|never|no longer|also|soon|now|still|only|already|yet|all|both|even|then|again|well"
    r"|once|first|likely|almost|instead|long|either|each|eventually|just|\w+ly),? |, however, )*"
)
_NO_VERB = (
    r"(?!(?:of|and|or|in|to|for|the|an?|that|this|with|on|at|by|from|as|is|was|are|were|his|her|its"
    r"|their|our|my|no|but|than|about|into|over|through|between|under|against|what|how)\b)"
)
_WHEN = (
    r"(?:(?:on )?[A-Z][a-z]+day |on \d{1,2} [A-Z][a-z]+ |(?:later )?(?:this|next) [a-z]+ "
    r"|(?:later )?today |tomorrow )?"
)
_VERB = rf"{ADVERBS}{_WHEN}{ADVERBS}{_NO_VERB}(?P<verb>[a-z][a-z-]+)\b"
_TO_VERB = rf"(?:[^,;:.\"]{{0,40}}? to {_VERB})"
_IS = rf"(?<!\w)(?:is|are|am|isn't|aren't|looks?|seems?|appears?|remains?|stands?) {ADVERBS}"
_HAS = rf"(?:has|have) {ADVERBS}"
_SCHEDULED = r"(?:scheduled|planned|slated|set|fixed|called|pencil?led in|lined up|booked|billed)"
_EXPECTS = r"(?:expects?|wants?|forecasts?|predicts?|projects?)"
_SUBJECT = r"(?P<subject>[^,;:.\"]{2,60}?)"
_BOUND = (
    r"(?:likely|unlikely|expected|scheduled|due|set|slated|poised|bound|tipped|forecast|projected"
    r"|planned|anticipated|going|about|certain|sure|on course|on track|ready|determined|destined"
    r"|prepared|in line|committed|favou?red|predicted|estimated|planning|preparing|seeking|looking"
    r"|aiming|hoping|threatening|intending|proposing|pushing|working|gearing up|expecting|pledging"
    r"|vowing|moving|racing|in talks|in negotiations|trying|attempting|rushing|scrambling"
    r"|campaigning|keen|eager|hopeful|under (?:\w+ )?pressure)"
)
_PURSUING = (
    r"(?:considering|weighing|mulling|contemplating|eyeing|exploring|planning|preparing|seeking"
    r"|drafting|drawing up|aiming for|pushing for|bracing for|gearing up for|heading for|headed for"
    r"|up for|threatening|thinking (?:of|about)|leaning towards?|closer? to(?= [a-z]{2,}ing\b)"
    r"|on the (?:verge|brink|point|cusp) of)"
)
_GERUND = r"(?P<gerund>[a-z]{2,}ing\b)"
_INTENDS = (
    r"(?:plans?|aims?|intends?|seeks?|wants?|hopes?|expects?|vows?|pledges?|promises|threatens?"
    r"|proposes?|prepares?|wishes|looks?|undertakes?|anticipates?)"
)
_HAS_PLANS = r"(?:has|have|had) (?:(?:no|any|an?|the|every) )?(?:[a-z]+ )?(?:plans?|intentions?)"
_VOWED = r"(?:vowed|pledged|promised|threatened|sworn|committed|undertaken)"
_PLANNED = r"(?:planned|intended|hoped|wanted|aimed|expected|sought)"
_AGREED = r"(?:agreed|decided|offered|proposed|chosen|elected|voted|opted|promised|scheduled)"
_TOLD = r"(?:invited|asked|ordered|told|urged|given|allowed|instructed|required)"
_BEEN = r"(?:(?:is|are|was|were|(?:has|have) been) )"
_PRESENT = (
    r"(?:takes? (?:effect|office|place|over|part|off|hold|up)|comes? into (?:force|effect)"
    r"|goes? into effect|enters? into force|expires?|lapses?|meets?|votes?|opens?|closes?"
    r"|begins?|starts?|ends?|finish(?:es)?|concludes?|resumes?|returns?|reopens?|convenes?|reconvenes?|gathers?|hosts?"
    r"|holds?|defends?|visits?|travels?|arrives?|leaves?|departs?|fl(?:y|ies)|heads?|go(?:es)?|runs?"
    r"|launch(?:es)?|lifts? off|retires?|steps? down|stands? down|stands? trial|appears?|faces?"
    r"|publish(?:es)?|releases?|reports?|unveils?|announces?|decides?|rules?|hears?|delivers?"
    r"|passes|enters?|snaps? back|stays?|remains?|continues?|lasts?"
    r"|presents?|kicks? off|premieres?|debuts?|plays?|appl(?:y|ies)|falls?|matures?|joins?|becomes?"
    r"|moves?|switch(?:es)?|ships?|lands?|docks?|sets? off|sets? out|sails?|walks? out|strikes?"
    r"|chooses?|elects?|picks?|marks?|celebrates?|turns?|ceases?|rises?|drops?|increases?|doubles?"
    r"|receives?|signs?|addresses|speaks?|testif(?:y|ies)|shuts?|stops?|tours?|kicks? in|submits?"
    r"|files?|competes?|tees? off|stages?|changes?|comes?)"
)
_COMING = (
    r"(?:(?:in|over|within) the (?:coming|next few|next several) (?:days|weeks|months|years)"
    r"|(?:expected|due|likely) (?:soon|shortly|imminently|any (?:day|time)"
    r"|within (?:days|weeks|months))"
    r"|(?:is|are) (?:also )?(?:planned|expected|imminent|looming|coming)(?=[.,;])"
    r"|(?:is|are|looks?|seems?|appears?|remains?) (?:also |now |still |\w+ly )?"
    r"(?:(?:un)?likely|possible)"
    r"(?! (?:to|that|for|only|because)\b)"
    r"|(?:is|are) (?:\w+ )?(?:on the (?:cards|horizon|way)|in (?:store|prospect|the offing))"
    r"|(?:at|by|before|until) the end of the (?:season|campaign|tournament|school year|session))"
)
_PROMISE = (
    r"(?:desire|hopes?|plans?|intentions?|bids?|ambitions?|pledges?|promises?|promised|proposals?"
    r"|aspirations?|push|drive|vows?|threats?|deadlines?|targets?|goals?|aims?"
    r"|(?:planned|potential|possible|proposed|upcoming|forthcoming|scheduled|pending|looming)"
    r" (?P<event>[a-z-]+))"
)
_MOVED = (
    r"(?P<moved>postponed|delayed|deferred|moved|rescheduled|extended|adjourned|suspended"
    r"|pushed back|put back|put off|brought forward)"
)
_HAVE = rf"(?:(?:ha[sd]|have)(?: been {_TOLD})?|(?:is|are|was|were) (?:given|allowed))"
_GIVE = rf"(?:{_HAS})?(?:given|gives?|gave|allow(?:s|ed))"
_ONLY = r"(?:(?:only|just|about|around|up to|up|another|a further|at least) )?"
_CUE_LENGTH = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|\d+) [a-z]+"
_WANTS = r"(?:wants?|expects?|demands?)"
_ODDS = r"(?:chances?|probability|likelihood|odds|risk)"
_CHANCE = (
    rf"{_ODDS} (?:of (?:(?P<gerund>[a-z]{{2,}}ing\b)|(?P<chance>(?!that\b)[\w'-]+))"
    r"|(?:that )?(?P<subject>(?:the |an? )?[\w'-]+(?: [\w'-]+){0,5}?) (?P<present>[a-z]{2,}s\b))"
)
_NUMERICAL = (
    r"(?:\d[\d.]*(?:-| )?(?:%|percent|per cent)|\w+-in-\w+|(?:better-than-)?even|fifty-fifty|50-50)"
)
_SIZE = r"(?:good|high|strong|fair|decent|real|small|slim|low|slight|growing|rising|remote)"
_CUE_DONE = (
    r"(?:[a-z-]+ed|broken|taken|torn)(?: (?:up|out|off|down|over))?|gone|done|built|cut|shut|sold"
    r"|held|brought|freed"
)


_FORMS = (
    # will vote
    ("will", rf"(?<![\w'-])(?:will|shall|won't|\w+'ll) {_VERB}"),
    # would vote
    ("would", rf"(?<![\w'-])(?:would|wouldn't|\w+'d) {_VERB}"),
    # could vote
    ("might", rf"(?<![\w'-])(?P<modal>could|couldn't|may|might) {_VERB}"),
    # plans to vote
    ("intends", rf"\b(?:{_HAS_PLANS}|{_INTENDS}) {ADVERBS}to {_VERB}"),
    # has vowed to vote
    ("vowed", rf"\b(?:{_HAS})?{_VOWED} (?:not )?to {_VERB}"),
    # is expected to vote
    ("bound", rf"{_IS}{_BOUND} (?:not )?to {_VERB}"),
    # we're going to vote
    ("bound", rf"(?<=\w)'(?:s|m|re) {ADVERBS}(?:going|about) to {_VERB}"),
    # is to vote
    ("bound", rf"(?<!\w)(?:is|are) {ADVERBS}to {_VERB}"),
    # has yet to vote
    ("bound", rf"\b(?:has|have) yet to {_VERB}"),
    # expect the sale to close
    ("expects", rf"\b{_EXPECTS} (?!to\b){_SUBJECT} to {_VERB}"),
    # is considering a vote
    ("pursues", rf"{_IS}{_PURSUING}(?= {_GERUND}| [\w'-])"),
    # risks losing a vote
    ("pursues", rf"\brisks? {_GERUND}"),
    # give the bank a 70 percent chance of winning
    ("chance", rf"\bgives? {_SUBJECT} an? {_NUMERICAL} {_ODDS} of {_GERUND}"),
    # has a good chance of winning
    ("chance", rf"\b(?:has|have|stands?) an? (?:{_NUMERICAL}|{_SIZE}) {_ODDS} of {_GERUND}"),
    # a 70 percent chance of a vote
    ("chance", rf"\b{_NUMERICAL} {_CHANCE}"),
    # the chance that the bill passes is 70 percent
    ("chance", rf"\b{_ODDS} that (?P<subject>(?:the |an? )?[\w']+(?: [\w'-]+){{0,5}}?) "
     r"(?P<present>[a-z]{2,}s\b)"
     rf"(?=[^,;:.\"]{{0,60}} (?:is|are) (?:put at |about )?{_NUMERICAL})"),
    # expects sales of 4 to 5 million
    ("expects", rf"\b{_EXPECTS} (?:its |their )?(?P<measure>[a-z][a-z ]{{2,40}}?) of "
     r"(?=(?:between )?[€$£]?\d[\d.,]*(?: to | and | ?- ?)\d)"),
    # expects 40 to 50 votes
    ("expects", rf"\b{_EXPECTS} (?P<count>(?=(?:between )?\d[\d.,]* (?:to|and) \d[\d.,]* [a-z]))"),
    # a vote in the coming weeks
    ("coming", rf"\b{_COMING}"),
    # planned to vote
    ("planned", rf"\b{_PLANNED} to {_VERB}"),
    # was due to vote
    ("was bound", rf"\b(?:was|were|been) {ADVERBS}{_BOUND} to {_VERB}"),
    # was told to vote
    ("agreed", rf"\b{_BEEN}{_TOLD} to {_VERB}"),
    # agreed to vote
    ("agreed", rf"\b(?:{_HAS})?{_AGREED} (?:[^,;:.\"]{{1,40}}? )?to {_VERB}"),
    # is set for Friday
    ("set for", rf"(?:{_IS}|\b{_HAS}been ){_SCHEDULED} for\b"),
    # has called a vote for Friday
    ("weak", rf"\b{_SCHEDULED}\b[^,;:.\"]{{1,40}} for\b"),
    # is expected on Friday
    ("weak", rf"{_IS}{_BOUND}\b"),
    # must vote
    ("weak", rf"\b(?:should|must|has to|have to|needs? to) {_VERB}"),
    # a plan for a vote
    ("weak", rf"\b{_PROMISE}\b"),
    # has until Friday to vote
    ("term", rf"\b{_HAVE} {_ONLY}until\b{_TO_VERB}?"),
    # has three weeks to vote
    ("term", rf"\b{_HAVE} {_ONLY}{_CUE_LENGTH}{_TO_VERB}"),
    # gave them until Friday to vote
    ("term", rf"\b{_GIVE} {_SUBJECT} until\b{_TO_VERB}?"),
    # gave them a week to vote
    ("term", rf"\b{_GIVE} {_SUBJECT} {_CUE_LENGTH}{_TO_VERB}"),
    # wants it done
    ("wants", rf"\bwants? {_SUBJECT} (?P<done>{_CUE_DONE})\b"),
    # expects it done by Friday
    ("weak", rf"\b{_WANTS} {_SUBJECT} (?P<done>{_CUE_DONE})\b"),
    # wants a bill on the desk by Friday
    (
        "weak",
        rf"\b(?:wants?|sees?) {_SUBJECT} (?=(?P<place>(?:on|in|at|above|below|back|open|ready)\b))",
    ),
    # calls for the bill to be passed by Friday
    ("weak", rf"\b(?:calls?|called) for (?!to\b){_SUBJECT} to {_VERB}"),
    # wants a vote by Friday
    ("weak", r"\b(?:wants?|expects?|demands?|predicts?|foresees?)\b"),
    # has moved the vote to Friday
    ("weak", rf"\b(?:has|have) {_MOVED} (?P<subject>(?:the|an?) [^,;:.\"]{{2,50}}?)"
     r" (?:to|until|till)\b"),
    # has been moved to Friday
    ("weak", rf"\b{_BEEN}?(?:{_MOVED}|invited|summoned)(?: by [\w-]+ [\w-]+,?)? "
     r"(?:to|until|till|into|for)\b"),
    # is voting
    ("present", r"(?<!\w)(?:is|are) (?:now |also |all )?(?P<doing>[a-z]{2,}ing)\b"),
    # votes
    ("present", rf"\b(?P<present>{_PRESENT})\b"),
    # Senate to vote
    ("headline", rf"\bto {_VERB}"),
    # Senate asked to vote on Friday
    ("infinitive", rf"\bto {_VERB}"),
)  # fmt: skip
CUES = tuple(Cue(kind, re.compile(form.replace(" ", r"\s+"))) for kind, form in _FORMS)


# ---- outlooks


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
    r"(?i)[\"'(]*(?:sign up|subscribe|click|please|would you|could you|read more|download|follow us"
    r"|listen|watch|see also|join us|to make|let us|let's|photo|picture|image|file)\b"
)
_NOUN_BEFORE = re.compile(
    r"(?i)(?:\b(?:the|an?|his|her|its|their|my|your|our|of|no|any|little|political|good|ill|free|strong"
    r"|popular|living|own|against|at|military|economic|financial|naval|collective|sheer)"
    r"|'s|s')\s+$"
)
_READER = re.compile(r"\b(?:[Yy]ou|[Rr]eaders|[Vv]isitors|[Ss]hoppers)\s+$")
_HABIT = re.compile(
    r"(?i)\b(?:often|always|usually|typically|generally|normally|traditionally|sometimes|back then"
    r"|every (?:\w+|few|other) (?:hours|days|weeks|months|years)"
    r"|(?:each|every) (?:spring|summer|autumn|winter|morning|evening|day|night|week|month|year))\b"
)
_IF_ONLY = re.compile(
    r"\b[Ii]f\b[^;.]*\b(?:had|were|hadn't|weren't)\b|\b[Hh]ad (?:he|she|it|they|we|I|the)\b"
)
_LONG_AGO = re.compile(
    r"\b(?:[Ii]n|[Ss]ince|[Bb]y|of) (?:1\d|20)\d\d\b"
    r"|\b(?:years?|months?|decades?) (?:ago|earlier)\b"
)
_LENGTH = re.compile(r"(?:with)?in (?!the )[^.,]*\b(?:day|week|fortnight|month|year|decade)s?$")
_A_PLAN = re.compile(r"\b(?:an?|the|this|that)\s+$")  # a noun: "votes on a plan to close"
_HAD = re.compile(r"\b(?:had|'d|having|having been|has long)\s+(?:\w+ly\s+)?$")
_REPORTED = re.compile(rf"\b(?:{REPORTING}|told|concerns?|agreed)\b")
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
    if _READER.search(before) or "free of charge" in words:
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
_DETERMINER_BEFORE = re.compile(r"(?i)\b(?:the|an?|his|her|its|their|this|that|of|'s)\s+$")
_HEADLINE = re.compile(r"[\"']?[A-Z][\w.&'-]*(?: [\w.&'-]+){0,5}\s+")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|do|does|did|will|would|can|could|may|might|says?|said|why|how"
    r"|it|he|she|they|[a-z]+ed|makes?|takes?|gets?|remains?|seems?|came|went|fell|made|took)\b"
)
_DEFINITE = re.compile(
    r"(?i)\d|(?<!to)day\b|\b(?:this (?:spring|summer|autumn|fall|winter)|next|later|coming|tomorrow"
    r"|tonight|within|by|until|before|end|weekend|late|early|mid|through|fortnight|time|another)\b"
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
_DATE = Cue("date", _DEFINITE)  # strikes on Friday
