"""The subject of a forward-looking sentence, as worded in a question: "Will … vote?".

It is between the start of its clause and the cue, without an introduction ("In a statement, "),
the source, an apposition and the deadline. A pronoun, also "I" and "we", is replaced by the noun
it refers to (``pronouns``). If the rest is not clearly a subject, there is none.
"""

from __future__ import annotations

import re

from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.pronouns import (
    POSSESSIVE,
    PRONOUN,
    UNNAMED,
    Context,
    antecedent,
    fits,
    has_pronoun,
    in_full,
    is_weather,
    personal,
    possessive,
)
from forecasts.reading.drafting.tense import IRREGULAR
from forecasts.reading.typography import alternatives, plain_punctuation

_REPORTING = alternatives(
    "said say says announced announces warned warn warns believe believes predict predicts "
    "predicted insisted insists confirmed added fear fears feared think thinks hope hopes hoped "
    "signalled signaled suggested suggests indicated reported estimate estimates estimated "
    "argue argues argued claim claims claimed forecast forecasts expect expects saying show "
    "shows showed suggest indicate signal insist report claim assume assumes guess reckon reckons "
    "suspect suspects doubt doubts hint hints hinted project projects projected promised pledged "
    "vowed admits admitted acknowledged conceded cautioned stressed declared"
)
_THAT = alternatives(
    "concern concerns doubt fact sign signs mean means likely unlikely likelihood possibility "
    "warning warnings clear expectation expectations promise promises certain agreed betting "
    "hunch idea view fading hopes"
)
# A subordinate clause at the start; the main clause begins after its comma.
OPENING = re.compile(
    r"[\"']*(?P<opener>Should|[Ii]f|[Uu]nless|[Oo]nce|[Ww]hen|[Aa]s soon as|[Aa]s|[Ww]hile"
    r"|[Aa]lthough|[Tt]hough|[Bb]ecause|[Gg]iven|[Ss]ince|[Ww]ith)\b[^,;\"]*,\s+"
)
# The clause begins after the last of these. A "that" after other words may be a relative pronoun.
_CLAUSE = re.compile(
    rf"""
    ^["']*(?:[A-Z][A-Z .,/'-]+(?:\s\([A-Z]\w+\))?\s(?:—|--?)\s)?
        (?:(?:But|And|Meanwhile|However|Now|Still|Yet|Then|Also|Instead|Finally|Perhaps|Maybe
             |Sooner\ or\ later|After\ all|For\ now),?\s+|[A-Z]\w+ly,\s+)?
        (?:(?:In|On|At|By|After|Under|With|Despite|Within|During|Before|Following|Amid|Until|From
             |Over|According\ to|Since|Later|Early|Late|Next|This|Asked|Pressed|Between|While
             |If|Should|Unless|Once|When|As|as|if|while|Although|Though|Because|Given|Like|Unlike)
            \b[^,]*,\s+(?:(?:where|which|who|when)\b[^,]*,\s+)?
          |(?:Under|In|At|By|After|From|With)\ (?:the|a|an|its|their)\ [\w-]+\ (?=(?:the|an?|its)\ )
        )?["']*
  | (?P<reported>\b(?:(?:has|have|had)\s+(?:not\s+)?)?(?:(?:also|later|earlier)\s+)?
        (?:{_REPORTING}|decided?)
        (?:\s+(?:on\s+)?[MTWFS]\w+day)?(?:\s+(?:that|whether))?\s+)
  | \b(?:but|and)\s+that\s+ | \b(?:unclear|uncertain|unknown|doubtful)\s+(?:whether|if)\s+
  | ^[A-Z][\w-]*\ or\ not,\s
  | \b(?:{_THAT}|(?:told|assured|warned)(?:\s+[\w']+){{1,3}})\s+that\s+
  | (?:,\s+|(?<=,\s))[^,]{{2,40}}\s(?:{_REPORTING}),\s+
  | [;:]\s+ | \s["'] | \s--?\s | \s—\s | ,\s+(?:and|but|while|so|as|with)\s+
    """,
    re.VERBOSE,
)
_NOT_FIRST = alternatives(
    'I we(?=.*") you him them me (?-i:us) that those (?-i:[Ww]ho(?:ever)?) which what few where '
    "why how whether if when while unless although though because since as so and but or for with "
    "in on at by to from after before under still yet now then not also instead some(?=\\sof)"
)
_NOT_WITHIN = alternatives(
    "said says is are was were has have had will would could may might can (?-i:who) which whom "
    "whether if because when while he she they it we that than did does do not "
    "(?<!up\\s)(?<!close\\s)to(?!\\s(?:the|an?|its|their)\\s|\\s(?-i:[A-Z]))"
)
_NOT_A_SUBJECT = re.compile(
    rf"^(?:{_NOT_FIRST})\b|\b(?:and|or|also|now|next|of|(?-i:[a-z]+ed))$|(?<!^)\b(?:{_NOT_WITHIN})\b"
    r"|,(?!\d|[^;:]*\s(?:and|or)\s)|[;:\"()?!—]|--| - ",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\s(?:that|which|who)\s+(?:has|have|had|is|are|was|were)\s[^,;:\"()?!]+$")
_TWO_ADJECTIVES = re.compile(r"^((?:an?|the) [a-z]+), (?=[a-z]+ [a-z])", re.IGNORECASE)
_TO_DO = re.compile(
    r"\b(work|efforts?|talks|negotiations|attempts?|plans?|bid|campaign|deal|proposal|decision|vote"
    r"|legislation|bill|motion|mission|operation) to [a-z]+",
    re.IGNORECASE,
)
_NEGATIVE = {
    "no": "any", "nobody": "anybody", "nothing": "anything", "none": "any", "neither": "either",
}  # fmt: skip
_AUXILIARY = re.compile(
    r"\s(?:is|are|was|were|has|have|had|will|would|could|may|might|must|should|[a-z]{3,}ed|meets|votes"
    rf"|opens|closes|faces|holds|publishes|reports|returns|starts|begins|ends|{IRREGULAR})\s"
)
_SAYS = r"(?:said|says|told|added|wrote|insisted|warned|announced|promised|vowed)"
# The speaker is named after the quote or before it.
_SPOKEN = re.compile(
    r"[^\"]*(?:[,.!]\"|\",?)\s+"
    rf"(?:{_SAYS}\s+(?P<after>[^,.;\"]{{2,60}})|(?P<before>[^,.;\"]{{2,60}}?)\s+{_SAYS}\b)"
)
_SPEAKS = re.compile(
    rf"(?:^|[.;\"]\s+)(?P<speaker>[^,.;:\"]{{2,60}}?)\s+{_SAYS}\b[^:\"]{{0,40}}[:,]\s+\"[^\"]*$"
)
_WHERE = re.compile(r"\s+(?:on|in|at|after|during|outside|from|late|earlier)\s.*")
# A spokesman is not the one who will act.
_FOR_OTHERS = re.compile(
    r"(?:an?\s|the\s)?(?:\w+\s)?(?:spokes\w+|lawyer|attorney|solicitor)\s(?:for|of)\s(?=\w)",
    re.IGNORECASE,
)
_SPOKESMAN = re.compile(
    r"\b(?:spokes\w+|lawyer|attorney|solicitor|director|executive|manager|analyst|economist|official"
    r"|aide|adviser|captain|coach|CEO)s?\b",
    re.IGNORECASE,
)
_DETERMINER = re.compile(
    alternatives(
        "the a an its their his her our this these such no any either some many several most all "
        "both two three four five six seven eight nine ten more another other each there it he she "
        "they we every nearly about around almost roughly over fewer up at"
    ),
    re.IGNORECASE,
)
_CHAMBER = re.compile(r"(?:leaders?|lawmakers|members|[A-Z]\w+|speaker|committee|panel)\b")
_OF_A_DAY = re.compile(r"(?:[Tt]onight|[Tt]oday|[Tt]omorrow|[MTWFS]\w+day)['’]s ")
# "New rule": as in a headline, without its article. Not "New rules", "New evidence", "New York".
_ONE_NEW = re.compile(
    r"(?:[a-z-]+ ){0,2}?(?!\w*(?:s|ing|ence|ance|ware|data|research|money|work|guidance|legislation"
    r"|construction|investment)\b)[a-z]+"
    r"(?: (?:on|of|for|in|by|to|from|at|with|over|across|near|between|against|under)\b.*)?$"
)
# "Incumbent Goran Tadic", "Pharmacy chain Corvex".
_KIND_OF = re.compile(
    r"(?:Incumbent|Former|Outgoing|Veteran|Striker|Challenger|Airline|Retailer|Lender|\w+maker"
    r"|(?:Opposition|Rebel|Union|Party) leader|[A-Z][a-z]+ (?:chain|group|giant|operator|startup))"
    r" (?=[A-Z])"
)
_NAMES_LIKE_PLURALS = alternatives(
    "Mercedes Brussels Reuters Siemens Barclays Starbucks Lloyds Athens Naples Airlines Williams "
    "Evans Hughes Davies Rodrigues Mendes Morales Rivers Myers Adams Brooks Rogers Rovers Rangers "
    "Wanderers Democrats Republicans Tories Liberals Conservatives Greens Socialists Houthis Kurds "
    "Muslims Jews Catholics Israelis Britons Danes Poles Turks Scots Swedes Finns Serbs Croats "
    "Greeks Arabs Afghans Americans Germans Mexicans Koreans Africans Europeans Filipinos"
)
# At the start of a sentence, these have a capital without being names.
_COMMON_WORDS = alternatives(
    "hundreds thousands dozens millions new old further heavy fresh early officials economists "
    "police prosecutors residents diplomats banks airlines unions activists parents troops "
    "rebels members delegates authorities companies shares prices exports imports growth "
    "demand supply output sales rates tariffs hearings rain snow temperatures turnout "
    "parliament students schools hospitals work trading ferry fuel oil gas gold polls pilots "
    "astronomers technicians relief rescue health government counting campaigning tickets "
    "services flights trains fares taxes wages talks launch jury polling power winds clocks "
    "sirens crews bids stores rivals direct patients staff pupils commuters fans clubs teams "
    "homes bosses trustees ballots voting hurricane volume cricket football rugby tennis "
    "bin defence defense school hospital train bus road rail bank house tax interest inflation "
    "earnings profits revenue borrowing mortgage unemployment rents production tourism "
    "passengers families women men children people migrants refugees scientists doctors nurses "
    "tonight tomorrow half most federal local national regional foreign public private direct "
    "lawyers veterans layoffs sentencing council world tenants clinical global household "
    "human climate petrol diesel coal electric solar wind nuclear peace trade repairs costs "
    "car vehicle chip phone computer food wheat coffee cocoa copper grain"
)
_COMMON = re.compile(
    _COMMON_WORDS
    + r"|(?:techn|electr|polit|clin|mus|phys|librar|histor|pedestr|civil|guard|comed)\w*ians"
    rf"|(?!(?:{_NAMES_LIKE_PLURALS})$|\w+ians$)\w{{2,}}[^\Wsuia]s"
    r"|\w{3,}fall|(?!Reading|Harding|Golding)\w{2,}(?:d|n|t|v|g|s)ing"
    r"|\w+-(?:thirds?|quarters?|fifths?|tenths?)"
    r"|(?:first|second|third|fourth|full|half)-\w+"
    r"|(?!Rovers|Rangers|Wanderers)\w{2,}(?:ers|ors|ists|ments?|tions?|sions?|ants|ees|ities|ices|ages)",
    re.IGNORECASE,
)


def find_subject(
    sentence: str, cue: re.Match[str], deadline: Deadline | None, context: Context
) -> str:
    """Return the subject of the verb at ``cue``, or '' if it is not clear.

    A pronoun becomes the noun it refers to, or ``UNNAMED``. ``cue`` is a match in
    ``plain_punctuation(sentence)``: the subject is its group "subject" or ends at its start.
    """
    words = plain_punctuation(sentence)
    if cue.groupdict().get("subject"):
        start, end = cue.span("subject")
        if " to " in words[start:end]:
            return ""
        subject = _as_subject(sentence, start, end, None, context)
        if PRONOUN.fullmatch(subject):  # "expects it to side with the temple"
            return antecedent(personal(subject), context.before) or UNNAMED
        return subject
    if contracted := re.match(r"(\w+)'(?:ll|d|m|re|s)\b", cue[0]):
        start, end = cue.start(), cue.start() + contracted.end(1)
    else:
        end = _before_aside(words, cue.start())
        start, end = _shared_subject(words, _clause_start(words, end), end)
    noun = words[start:end].strip(" \"'")
    if noun in ("I", "we", "We"):
        start, end = _quoted_speaker(words, cue, alone=noun == "I")
        speaker = _as_subject(sentence, start, end, None, context)
        if PRONOUN.fullmatch(speaker):
            speaker = antecedent(personal(speaker), context.before)
        return speaker or UNNAMED
    if PRONOUN.fullmatch(noun):
        verb = cue.groupdict().get("verb") or words[cue.end() :].lstrip()
        if is_weather(noun.lower(), verb):
            return "it"
        return _referent(sentence, start, noun, context) or UNNAMED
    if owned := POSSESSIVE.match(noun):
        thing = _as_subject(sentence, start + owned.end(), end, deadline, context)
        owner = _referent(sentence, start, owned[1], context)
        return f"{possessive(owner)} {thing}" if owner and thing else UNNAMED
    subject = _as_subject(sentence, start, end, deadline, context)
    if PRONOUN.fullmatch(subject):  # "On Friday it will …"
        return antecedent(personal(subject), context.before) or UNNAMED
    if not subject and (joined := _LAST_AND.match(words, start, end)):
        subject = _as_subject(sentence, joined.end(), end, deadline, context)
    if _ITSELF.fullmatch(subject):  # "A spokesman for Sundlink said the company would …"
        speaker = _referent(sentence, start, "it", Context())
        subject = speaker if speaker[:1].isupper() else subject
    name = _NAMED.match(words[end : cue.start()])
    if name and _IS_ROLE.match(subject):
        return f"{subject} {name[1]}"
    return in_full(subject, f"{context.before} {sentence[:start]}")


# "The operator, Atlantis Fibre, has …": the aside is its name.
_NAMED = re.compile(r",\s+([A-Z][\w.&'-]*(?:\s(?:[A-Z][\w.&'-]*|de|of|van|von|and))*),\s")
_IS_ROLE = re.compile(r"(?:the|an?|its|[\w.-]+['’]s)\s", re.IGNORECASE)


# "The ban was lifted and schools will reopen": the second clause has no comma.
_LAST_AND = re.compile(
    r".*\s(?:is|are|was|were|has|have|had|[a-z]{3,}ed)\s.*\s(?:and|but|while)\s+"
)
_LATER = re.compile(r"(?:the |a )?(?:\w+ )?(?:day|week|month|year|hour)s? (?:after|before) ")
_TODAY = re.compile(r"\s+(?:today|yesterday|(?:on )?[A-Z]\w+day|later|also)\s*$")
_ITSELF = re.compile(
    r"the (?:company|firm|group|club|bank|airline|retailer|carmaker|chain|lender|agency|party)"
)
_LONGEST_NOUN = 6  # words; a longer one has a verb of its own


def _referent(sentence: str, start: int, pronoun: str, context: Context) -> str:
    """Return the noun that the pronoun at ``start`` refers to, or ''."""
    who = personal(pronoun)
    if speaker := _speaker(plain_punctuation(sentence), start, who):
        noun = _FOR_OTHERS.sub("", _as_subject(sentence, *speaker, None, context))
        name = _NAMED.match(plain_punctuation(sentence), speaker[1])
        if name and has_pronoun(noun):
            return name[1]
        return noun if len(noun.split()) <= _LONGEST_NOUN else ""
    return antecedent(who, f"{context.before} {sentence[:start]}")


def _before_aside(words: str, end: int) -> int:
    """Return the end of the subject, before any aside between commas."""
    before = words[:end].rstrip()
    opened = before.rfind(", ", 0, -1) if before.endswith(",") else -1
    return opened if opened > 0 else end


def _clause_start(words: str, end: int) -> int:
    """Return the start of the clause around ``end``; not after a noun such as "the report"."""
    starts = [clause.end() for clause in _CLAUSE.finditer(words, 0, end)]
    return max((start for start in starts if words[start:end].strip()), default=0)


def _shared_subject(words: str, start: int, end: int) -> tuple[int, int]:
    """Return the subject of the verb before an "and" if the verb at ``end`` shares it."""
    joined = re.search(r"(?:^|\s)(?:and|but)\s+$", words[:end])
    if joined is None or words[start:end].strip() not in ("", words[start : joined.end()].strip()):
        return start, end
    first = _clause_start(words, joined.start())
    verb = _AUXILIARY.search(words, first, joined.start())
    return (first, verb.start()) if verb else (start, end)


def _speaker(words: str, start: int, pronoun: str) -> tuple[int, int] | None:
    """Return the span of the source of the clause at ``start``, if ``pronoun`` refers to it."""
    reporting = next((c for c in _CLAUSE.finditer(words, 0, start) if c.end() == start), None)
    if reporting is None or reporting["reported"] is None:
        return None
    end = _before_aside(words, len(_TODAY.sub("", words[: reporting.start()])))
    begin = _clause_start(words, end)
    if later := _LATER.match(words, begin, end):  # "the day after Nvidia said it would …"
        begin = later.end()
    shared = _shared_subject(words, begin, reporting.start())
    if shared[1] < reporting.start():  # "the bank kept its rate and said it would …"
        begin, end = shared
    speaker = words[begin:end].strip()
    if not speaker or PRONOUN.fullmatch(speaker) or not fits(pronoun, speaker):
        return None
    return begin, end


def _quoted_speaker(words: str, cue: re.Match[str], *, alone: bool) -> tuple[int, int]:
    """Return the span of the speaker of "we" (or "I": ``alone``), of a spokesman's principal."""
    spoken = _SPOKEN.match(words, cue.end()) or _SPEAKS.search(words, 0, cue.start())
    if spoken is None:
        return 0, 0
    start, end = spoken.span(spoken.lastgroup or 0)
    if setting := _WHERE.search(words, start, end):
        end = setting.start()
    if spokesman := _FOR_OTHERS.match(words, start, end):
        return spokesman.end(), end
    speaker = words[start:end]
    is_unclear = not alone and (PRONOUN.fullmatch(speaker) or _SPOKESMAN.search(speaker))
    return (0, 0) if is_unclear else (start, end)


def _as_subject(
    sentence: str, start: int, end: int, deadline: Deadline | None, context: Context
) -> str:
    words = plain_punctuation(sentence)
    before = words[:start].rstrip()
    at_start = before.endswith((",", ":", '"', "'", "—", "-")) or not re.search(r"\w", before)
    if deadline and start <= deadline.start < deadline.end <= end:
        is_attribute = words.startswith("'s", deadline.end)
        if not words[start : deadline.start].strip() and not is_attribute:
            start, at_start = deadline.end, False  # "By Friday the court will …"
        elif not words[deadline.end : end].strip(" ,"):
            end = deadline.start  # "The court on Friday will …"
    subject = re.sub(r"\s+", " ", sentence[start:end]).strip(' ,"“”')
    head = _RELATIVE.sub("", _TWO_ADJECTIVES.sub(r"\1", plain_punctuation(subject)))
    head = _TO_DO.sub(r"\1", head)
    if not 1 <= len(subject.split()) <= 14 or _NOT_A_SUBJECT.search(head):
        return ""
    first, space, others = subject.partition(" ")
    if first.lower() in _NEGATIVE and others != "one":
        return _NEGATIVE[first.lower()] + space + others
    if not at_start and first not in ("It", "He", "She", "They", "This", "These"):
        return subject
    bare = re.sub(r"['’]s$", "", first)
    if first == "House" and _CHAMBER.match(others):
        return subject
    is_common = _is_common(bare, others) or bare.lower() in context.lowercase_words
    if _KIND_OF.match(subject):
        return first.lower() + subject[len(first) :]
    if _OF_A_DAY.match(subject):  # "Saturday's final": the question has the date
        return f"the {others}"
    if (others[:1].isupper() or not is_common) and not _DETERMINER.fullmatch(first):
        return subject
    article = "a " if first == "New" and _ONE_NEW.match(others) else ""
    return article + first.lower() + subject[len(first) :]


def _is_common(word: str, others: str) -> bool:
    """Return whether the first word of a subject is a common noun: "Union members", "Tickets"."""
    if _COMMON.fullmatch(word):
        return True
    is_compound = re.match(r"[a-z]{3,}s\b", others) is not None
    return is_compound and re.fullmatch(_COMMON_WORDS, f"{word}s", re.IGNORECASE) is not None
