"""The subject of a forward-looking sentence, as worded in a question: "Will … vote?".

It is between the start of its clause and the cue, without an introduction ("In a statement, "),
the source, an apposition and the deadline. A pronoun, also "I" and "we", is replaced by the noun
it refers to, because a reader of the question has not read the article: the speaker ("the judge
said she would rule": the judge), the subject of one of the two sentences before, or else
``UNNAMED``. If the rest is not clearly a subject, there is none. A pronoun that refers to a noun of
the question itself stays ("Will the bank cut its dividend?").
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from forecasts.reading.drafting.deadlines import Deadline
from forecasts.reading.drafting.verbs import IRREGULAR, REPORTING
from forecasts.reading.intervals import MONTHS
from forecasts.reading.lines import alternatives, plain_punctuation

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
        (?:{REPORTING}|decided?)
        (?:\s+(?:on\s+)?[MTWFS]\w+day)?(?:\s+(?:that|whether))?\s+)
  | \b(?:but|and)\s+that\s+ | \b(?:unclear|uncertain|unknown|doubtful)\s+(?:whether|if)\s+
  | ^[A-Z][\w-]*\ or\ not,\s
  | \b(?:{_THAT}|(?:told|assured|warned)(?:\s+[\w']+){{1,3}})\s+that\s+
  | (?:,\s+|(?<=,\s))[^,]{{2,40}}\s(?:{REPORTING}),\s+
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
    rf"(?i)^(?:{_NOT_FIRST})\b|\b(?:and|or|also|now|next|of|(?-i:[a-z]+ed))$|(?<!^)\b(?:{_NOT_WITHIN})\b"
    r"|,(?!\d|[^;:]*\s(?:and|or)\s)|[;:\"()?!—]|--| - "
)
_RELATIVE = re.compile(r"\s(?:that|which|who)\s+(?:has|have|had|is|are|was|were)\s[^,;:\"()?!]+$")
_TWO_ADJECTIVES = re.compile(r"(?i)^((?:an?|the) [a-z]+), (?=[a-z]+ [a-z])")
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
    r"(?i)(?:an?\s|the\s)?(?:\w+\s)?(?:spokes\w+|lawyer|attorney|solicitor)\s(?:for|of)\s(?=\w)"
)
_SPOKESMAN = re.compile(
    r"(?i)\b(?:spokes\w+|lawyer|attorney|solicitor|director|executive|manager|analyst|economist|official"
    r"|aide|adviser|captain|coach|CEO)s?\b"
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
_IS_ROLE = re.compile(r"(?i)(?:the|an?|its|[\w.-]+['’]s)\s")


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


# ---- pronouns

UNNAMED = "…"  # for the user to fill in

PRONOUN = re.compile(r"(?i)(?:he|she|it|they)(?:'d|'ll)?")
POSSESSIVE = re.compile(r"(?i)(his|her|its|their)\s+(?=\w)")
_OF_POSSESSIVE = {"his": "he", "her": "she", "its": "it", "their": "they"}
_ROLES = alternatives(
    "president minister premier chancellor judge mayor governor senator ambassador envoy coach "
    "manager director chairman chairwoman chief secretary speaker lawyer prosecutor commissioner "
    "leader candidate striker captain general admiral bishop pope king queen prince princess"
)
_ORGANISATION = re.compile(
    r"\b(?i:ministry|government|company|firm|agency|bank|club|union|party|group|court|council|army"
    r"|committee|commission|board|junta|navy|force|department|office|service|chain|retailer|airline"
    r"|\w+maker|manufacturer|regulator|authority|parliament|senate|federation|league|association"
    r"|foundation|charity|university|school|team|church|newspaper|broadcaster|operator|developer"
    r"|fund|trust|opposition|administration|band|workers|inc|corp|airlines|motors|railway|utility"
    r"|lender|insurer|startup|state|city|county|country|kingdom|organi[sz]ation)"
    r"(?= [A-Z][\w.-]+$|$)"
)
_PLURAL = re.compile(r"(?:\b[a-z][\w-]*[^\Ws]s|\b[Tt]he [A-Z]\w+s|^[A-Z][a-z]+s|police|people)$")
_AFTER_HEAD = re.compile(r"\s(?:of|for|in|at|to|on|from)\s.*")
_NAME_OF_TWO = re.compile(r"[A-Z][\w.&-]*(?: [A-Z][\w.&-]*)?")


@dataclass(frozen=True, slots=True)
class Context:
    """The text around a sentence: its words in lower case, and the sentences just before."""

    lowercase_words: Collection[str] = ()
    before: str = ""


def possessive(owner: str) -> str:
    """Return "the judge's", "the teachers'"."""
    return f"{owner}'" if re.search(r"(?:^|\s)[a-z][\w-]*s$", owner) else f"{owner}'s"


def personal(pronoun: str) -> str:
    """Return "she" for "her", and "she" for "She'll"."""
    pronoun = re.sub(r"'\w+$", "", pronoun.lower())
    return _OF_POSSESSIVE.get(pronoun, pronoun)


def fits(pronoun: str, noun: str) -> bool:
    """Return whether he, she, it or they can refer to the noun."""
    head = _AFTER_HEAD.sub("", noun)
    is_plural = _PLURAL.search(head) is not None
    is_organisation = _ORGANISATION.search(head) is not None
    if pronoun == "they":
        return is_plural or " and " in noun
    if pronoun == "it":
        is_thing = re.search(rf"\s(?!(?:{_ROLES}|boss|man|woman)$)[a-z-]+$", head) is not None
        is_name = _NAME_OF_TWO.fullmatch(noun) is not None
        return is_organisation or is_name or (is_thing and not is_plural)
    return not (is_plural or is_organisation)


# ---- the subject of a sentence before

_PERSONS_NAME = r"[A-Z][\w.-]+(?: (?:[A-Z][\w'.-]+|de|da|van|von|bin|al)){0,3}"
_VERB_FOLLOWS = (
    r"(?=,? (?:who\b|has|have|is|are|was|were|will|says|[a-z]+ed|[a-z]+s"
    rf"|{IRREGULAR})\b|, )"
)
_NOT_A_NAME = alternatives(
    "The A An In On At By For From With After Before When While If As But And So He She It They We "
    "I You This That These Those There His Her Its Their Our My One Some Most Many No Not Nobody "
    "Everyone Everybody Someone None Each Another Police Still Now Yesterday Today Meanwhile Then"
)
_SUBJECTS = {
    "person": re.compile(
        rf"(?:On \w+day,? |But |And )?(?P<noun>(?!(?:{_NOT_A_NAME})\s){_PERSONS_NAME}"
        rf"|(?:The|A) (?:[\w'-]+ ){{0,3}}?(?:{_ROLES})){_VERB_FOLLOWS}"
    ),
    "it": re.compile(rf"(?P<noun>The (?:[\w'-]+ ){{0,4}}?[\w-]+){_VERB_FOLLOWS}"),
    "they": re.compile(
        r"(?P<noun>(?:The )?(?:[\w'-]+ ){0,4}?[A-Za-z][a-z]+s)"
        r"(?= (?:have|are|were|will|would|say|said|want|plan|hope|met|[a-z]+ed)\b)"
    ),
}
_SPEAKER = re.compile(
    rf"\"\s(?:said|says|added) (?P<noun>{_PERSONS_NAME})"
    rf"|,\"?\s(?P<before>{_PERSONS_NAME}) (?:said|says|added)\b"
)
_SENTENCE = re.compile(r"[.!?][\"')]*\s+(?=[\"'(]?[A-Z])")
_FAR = 2  # sentences


def antecedent(pronoun: str, before: str) -> str:
    """Return the subject of the last sentences of ``before`` that the pronoun fits, or ''."""
    kind = _SUBJECTS.get(pronoun, _SUBJECTS["person"])
    for sentence in reversed(_SENTENCE.split(plain_punctuation(before).strip())[-_FAR:]):
        subject = kind.match(sentence)
        if subject is None and pronoun in ("he", "she"):
            subject = _SPEAKER.search(sentence)
        noun = subject[subject.lastgroup or 0] if subject else ""
        if noun and fits(pronoun, noun):
            is_name = kind is _SUBJECTS["person"] and not re.match(r"(?:The|A|An) ", noun)
            return noun if is_name else noun[0].lower() + noun[1:]
    return ""


# ---- a noun that a sentence before has in full

_SHORT = re.compile(r"the (?P<head>[a-z-]+(?: [a-z-]+)?)")
_CAPITAL = r"[A-Z][\w&-]*(?:\.[\w&-]+)*"
_PROPER = rf"{_CAPITAL}(?: (?:(?:and|of|the|de) )?{_CAPITAL})*"


def in_full(noun: str, before: str) -> str:
    """Return a noun as one of the two sentences ``before`` has it in full, or as it is.

    "The talks" are "the talks between Ethiopia and Eritrea", "the council" is "the council of
    Brenholt", "the parliament" is "Peru's parliament". Of several, the last one counts.
    """
    short = _SHORT.fullmatch(noun)
    if short is None:
        return noun
    head = short["head"]
    full = re.compile(
        rf"\b{head} (?P<rest>(?:between|of|on|in|for|with|over) (?:the )?{_PROPER})"
        rf"|\b(?P<owner>{_PROPER}['’]s) {head}\b"
    )
    last = None
    near = ". ".join(_SENTENCE.split(plain_punctuation(before).strip())[-_FAR:])
    for found in full.finditer(near):
        last = found
    if last is None or _MONTH.search(last[0]):
        return noun
    return f"{last['owner']} {head}" if last["owner"] else f"the {head} {last['rest']}"


_MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)}|\w+day)\b")

# ---- pronouns that a question leaves open

_ANY = re.compile(
    r"(?i)\b(?P<own>I|me|my|we|us|our|ours|you|your)\b(?!\.)"
    r"|\b(?P<subject>he|she|they)\b|\b(?P<object>him|them|it|her(?! [a-z]{3,}))\b"
    r"|\b(?P<whose>its|his|her(?= [a-z]{3,}))\b"
    r"|\b(?P<bare>this|that|these|those)(?=[?,.]|$| (?:by|from|until|if|unless|in|on)\b)"
)
_SUBORDINATE = re.compile(
    r"\b(?:if|unless|when|once|whether|that|because|until|before|after|as|while|what|how|where)\b"
)
_EMPTY_IT = re.compile(r"it (?:easier|harder|clear|(?:im)?possible|difficult|illegal)\b")
_NOUN = re.compile(
    r"\b(?:the|an?|all|its|their|his|her|any|every|more|another|(?!20\d\d\b)\d[\d,.]*)"
    rf"\s(?!(?:{'|'.join(MONTHS)})\b)\w"
)
_PERSON = re.compile(
    rf"(?:\b[A-Z][\w.'-]*|\b(?:{_ROLES}|boss|king|queen)|(?:man|woman|boy|girl|er|or|ist|ian|ent))$"
)
_WEATHER = re.compile(r"(?:rain|snow|hail|freeze|thaw)\b")


def without_open_pronouns(subject: str, predicate: str) -> str:
    """Return the predicate with ``UNNAMED`` for each pronoun that its question leaves open."""

    def closed(found: re.Match[str]) -> str:
        before = predicate[: found.start()]
        is_named = (
            not found["own"]
            and not found["bare"]
            and (
                (found["whose"] and _may_own(found["whose"], subject))
                or _EMPTY_IT.match(predicate, found.start())
                or (not found["whose"] and subject != UNNAMED and _SUBORDINATE.search(before))
                or (not found["subject"] and _NOUN.search(before))
            )
        )
        return found[0] if is_named else UNNAMED

    if subject.lower() == "it" and _WEATHER.match(predicate):
        return predicate
    return _ANY.sub(closed, predicate)


def _may_own(pronoun: str, subject: str) -> bool:
    """Return whether "its", "his" or "her" can refer to the subject."""
    if subject == UNNAMED:
        return True
    if pronoun.lower() == "its":
        return _PLURAL.search(subject) is None
    return fits("he", subject) and _PERSON.search(_AFTER_HEAD.sub("", subject)) is not None


def is_weather(pronoun: str, verb: str) -> bool:
    """Return whether "it" needs no noun: "it will rain"."""
    return pronoun == "it" and _WEATHER.match(verb) is not None


def has_pronoun(text: str) -> bool:
    """Return whether the text has any personal pronoun."""
    return re.search(r"\b(?:he|she|it|they|him|them|his|her|its|their)\b", text, re.I) is not None
