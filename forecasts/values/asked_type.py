"""The type of question that a title asks: yes or no, a number, a day or one of several options.

Read from the first words of its main clause: "How many ships …?" asks for a number, "In 2027, who
will …?" for one of several, "Will it be known by May who …?" for yes or no. A title that only
names an event, "Rain in London tomorrow", asks whether it happens; one that names a figure, a day
or a winner and claims nothing about it, "Price of oil on 1 May", asks for that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from forecasts.common.errors import FILL_IN, BadInput, Remedy
from forecasts.common.text import shortened
from forecasts.common.vocabulary import QuestionType
from forecasts.reading.typography import plain_punctuation
from forecasts.values.date_spellings import QUOTED

# Words before the question itself: "So", "[Poll]", "Can you tell me".
_LEADING = re.compile(
    r"(?i)(?:[^\w#([]+|[([][^)\]]*[)\]]"
    r"|(?:and|so|then|well|but|ok|okay|now|also|or|plus|hm+|hey|please|honestly|realistically)\b"
    r"|(?:exactly|approximately|precisely|just|roughly|about|around)(?= (?:wh|how))"
    r"|(?:(?:can|could|do|would) (?:you|anyone|we) )?(?:please )?"
    r"(?:tell (?:me|us)|say|guess|know|predict|estimate|i wonder|any idea|think)(?= (?:wh|how)))+"
)
_CLAUSES = re.compile(r"([,:;?!]\s|\s[–—-]+\s)")
# Words before a comma that the main clause follows; otherwise the comma begins a relative clause,
# "The bank, which met in May, cuts its rate".
_OPENING = re.compile(
    r"(?i)(?:in|on|by|at|of|if|after|before|when|where|once|during|until|for|between|among|from"
    r"|next|this|as|with|assuming|given|suppose|provided|while|should|whoever|however|\d+)\b"
)
_MAY = r"(?:(?-i:(?<!by )(?<!in )(?<!of )(?<!on )may)|^may)(?!,? \d)"
_VERB = (
    rf"(?:will|would|is|are|was|were|does|do|did|can|could|{_MAY}|might|shall|should|has|have"
    r"|had|must|won['’]t|isn['’]t|doesn['’]t)\b"
)
_ASKING = (
    r"(?:(?:at least|at most|about|around|roughly|by|in|on|at|for|to|of|from|with|until|till|since"
    r"|within|during|under|over|through|above|against|into) )?"
)
_FEW = rf"(?:(?!{_VERB})[\w'’%-]+ ){{0,2}}"
_DAYS = rf"{_FEW}(?:day|date|week|month|quarter|year|decade|time|weekday)s?\b"
_FIGURE = (
    r"(?:number|#|count|share|percentage|per ?cent|proportion|fraction|rate|price|level|score"
    r"|margin|value|amount|total|sum|size|temperature|turnout|rank|average|median|age|cost|speed"
    r"|length|height|weight|distance|volume|quantity|majority|salary|yield|index)s?(?!\w)"
)
_FIGURES = rf"{_FEW}{_FIGURE}"
_CHANCES = rf"(?:the |your )?{_FEW}(?:chances?|odds|probability|likelihood)\b"
_NAMES = r"(?:name|named|called|title|outcome|result|decision|reason|winner|happen)\b"
_IS = r"(?: will be| will| is| are| was|['’]?s)?(?: the)?"
_HOW = r"how (?:many|much|long|far|old|often|high|big|tall|fast|large|deep|hot|cold|wide)\b"
# The nouns that a title without a verb may name, "the number", before "of ships" or "in May".
_NOUNS = (
    rf"(?:the )?(?!\d)(?:(?!{_VERB}|(?:in|of|on|to|for|at|by|and|or|with|from|next|record|new|no"
    r"|any|more|less|fewer|another)\b)[\w'’%-]+ ){0,3}"
)
_NAMED = (
    r"(?= (?:of|won|lost|cast|in|on|at|for|by|to|after|before|per|during|from|until|as of|this|next"
    r"|that|which|(?:19|20)\d\d)\b|$)"
)
_NAMED_FIGURES = (
    rf"(?:{_FIGURE}|gdp|inflation|unemployment|population|revenues?|profits|sales|deaths|cases"
    r"|votes|seats|medals|goals|points|viewers|attendance|deficit|debt|growth|emissions"
    r"|(?:rain|snow)fall|(?:no\.|nr\.?|num)(?= of))"
)
_PEOPLE = (
    r"(?:winner|champion|host|venue|location|nominee|successor|replacement|outcome|result"
    r"|name|title|identity|cause|reason)"
)
_OF_TIME = (
    r"(?:day|week|weekend|month|quarter|year|decade|time|\w+day|spring|summer|autumn|fall|winter)"
)
# Words by which such a title claims something: "Price of oil above 80 on 1 May".
_CLAIM = re.compile(
    rf"(?i)\b{_VERB}|[<>≥≤=]|\d ?(?:%|per ?cent)|\d\+"
    r"|\b(?:over|under|past|beyond) (?:\W?\d|a |one )|\b(?:above|below|between|more|less"
    r"|fewer|greater|higher|lower|larger|smaller|least|most|up"
    r"|down|unchanged|known|made|kept|held|hit|cut|set)\b"
    r"|\b(?:exceed|reach|top|pass|surpass|rise|fall|drop|grow|decline|increase|decrease|double"
    r"|halve|stay|remain|beat|win|lose|get|become|go|come|turn|cross|break|climb|jump|sink|slip|hit"
    r"|end|begin|start|open|close|stop|last|change|match|equal|return|move)(?:e?s)\b"
    r"|\b(?:rais|lower|lift|capp|bann|abolish|approv|reduc|increas|doubl|halv|hik|chang|announc"
    r"|publish|releas|revis|confirm|disclos|disput|expect)ed\b"
)


def _compiled(*forms: tuple[QuestionType, str]) -> Sequence[tuple[QuestionType, re.Pattern[str]]]:
    return tuple((type_, re.compile(form, re.IGNORECASE)) for type_, form in forms)


# The first form that the clause begins with counts. "When" and "where" ask only before a verb:
# "When they meet, will they sign?" is yes or no.
_FORMS = _compiled(
    (QuestionType.numeric, r"(?:days|weeks|months|years|hours|minutes) (?:until|till)\b"),
    (QuestionType.numeric, rf"{_VERB} (?:[\w ]*\b(?:be|take|cost|last|have|win|get) )?{_HOW}"),
    (QuestionType.multiple_choice, rf"{_VERB} (?:which|whose)\b"),
    (QuestionType.binary, rf"{_VERB}|whether\b|(?:how to|what if|how about|what about)\b"),
    (QuestionType.binary, rf"how (?:likely|probable|sure|certain)\b|what{_IS} {_CHANCES}"),
    (QuestionType.date, r"(?:the )?first (?:year|month|day) (?:with|when|that)\b"),
    (QuestionType.date, rf"{_ASKING}when(?:['’]?(?:s|ll|d)\b| (?:\w+ )?{_VERB}|$)"),
    (QuestionType.date, rf"{_ASKING}(?:how (?:soon|early|late)\b|(?:which|what){_IS} {_DAYS})"),
    (QuestionType.numeric, rf"{_ASKING}(?:which|what){_IS} {_FIGURES}|(?:to) what extent\b"),
    (QuestionType.numeric, rf"{_ASKING}how (?!{_VERB})\w+"),
    (QuestionType.multiple_choice, rf"{_ASKING}(?:who(?:s|ll)?|whom|whose|which|why|how)\b"),
    (QuestionType.multiple_choice, rf"{_ASKING}where(?:['’]?s\b| {_VERB}|$)"),
    (QuestionType.multiple_choice, rf"what{_IS} {_FEW}{_NAMES}|what .*\bcalled\b"),
    (QuestionType.numeric, rf"what {_VERB}.*\b(?:be|cost|close|stand|trade|weigh|measure)\b"),
    (QuestionType.multiple_choice, rf"{_ASKING}whats?\b"),
)
# "Will it be cut, held or raised?" may ask for one of three.
_ONE_OF = re.compile(rf"(?i){_VERB} [^:;?]*\w, (?:\w+ )?\w+,? or (?!more|less|fewer|so\b)\w")
_BEFOREHAND = rf"(?:{_OPENING.pattern[4:]}(?:(?!{_VERB}).)*)"
_HEALTH_ORGANIZATION = re.compile(rf"WHO (?!(?i:{_VERB}))")
# Of a title that is one clause: "By May how many ships will pass", "The bridge opens when".
_UNUSUAL = _compiled(
    (QuestionType.numeric, rf"(?:{_BEFOREHAND}|(?:(?!{_VERB}).)*){_HOW}|.*\b{_HOW}$"),
    (QuestionType.date, rf"when\b|{_BEFOREHAND}when {_VERB}|.*\bwhen$"),
    (QuestionType.multiple_choice, rf"where\b|{_BEFOREHAND}(?<!those )(?:who|whose|what|where)"
     rf" (?:{_VERB}|\w+s\b)|{_BEFOREHAND}which (?:\w+ ){{1,3}}{_VERB}"
     r"|.*\b(?:who|whom|where|which|what)$"),
)  # fmt: skip
# Of one without a verb: "Next UK PM", "Price of oil on 1 May".
_NAMING = _compiled(
    (QuestionType.numeric, rf"{_NOUNS}{_NAMED_FIGURES}{_NAMED}|total (?:\w+ )?\w+s\b"
     ),
    (QuestionType.date, rf"{_NOUNS}(?:date|timing|deadline|time(?= of)){_NAMED}"
     r"|(?:the )?(?:(?:first )?(?:year|month|day) of (?:the|a|first|his|her|its|their)"
     r"|(?:year|month|day) with)\b"),
    (QuestionType.multiple_choice, rf"{_NOUNS}{_PEOPLE}{_NAMED}"
     rf"|(?:the )?next (?!{_OF_TIME}\b)(?:(?!by\b)[^\W\d]+ ){{0,6}}[^\W\d]+$"
     r"|(?:the )?(?:best|top(?:-\w+)?|\w{3,}est) (?:\w+ ){0,2}\w+(?: (?:at|of|after)\b.*)?$"
     r"|(?:\w+ )?\w+ or (?:\w+ )?\w+$"),
)  # fmt: skip


def asked_type(title: str) -> QuestionType:
    """Return the type of question that the title asks.

    >>> [asked_type(title).value for title in ("How many ships by May?", "Will it rain by May?")]
    ['numeric', 'binary']
    """
    return _asked(title) or QuestionType.binary


def decided_type(title: str, given: str | None, *, options: bool, bounds: bool) -> QuestionType:
    """Return the type of a new question: as given, or as its options, bounds and title decide.

    Bounds are those of a day if the title asks for one, else of a number. BadInput if the title
    asks yes or no, or for one of several, and there are bounds; and as in ``require_asked_type``.
    """
    if given is None and options:
        return QuestionType.multiple_choice
    if given is not None or not bounds:
        return require_asked_type(title, None if given is None else QuestionType(given))
    asked = _asked(title)
    if asked in (QuestionType.binary, QuestionType.multiple_choice):
        asks = "yes or no" if asked == QuestionType.binary else ASKED_FOR[asked]
        raise BadInput(
            f"{shortened(title, _REPEATED)!r} asks for {asks}, and has bounds.",
            remedy="Leave the bounds out, or give the type: numeric or date.",
        )
    return asked or QuestionType.numeric


def _asked(title: str) -> QuestionType | None:
    """Return the type that the words of a title ask for; None if they do not say."""
    asked = QUOTED.sub("_", " ".join(plain_punctuation(title).split()))
    if match := _LEADING.match(asked):
        asked = asked[match.end() :].lstrip(" ,:")
    if _ONE_OF.match(asked):
        return QuestionType.multiple_choice
    parts = _CLAUSES.split(asked.rstrip(" ?!."))
    mains: list[str] = []
    before = ", "
    for clause, after in zip(parts[::2], [*parts[1::2], ""], strict=True):
        words = clause.strip()
        if _HEALTH_ORGANIZATION.match(words) and not title.isupper():
            return QuestionType.binary
        if not mains or before[0] != "," or _OPENING.match(parts[0]):
            mains.append(words)
        before = after
    asking = [form for form in _FORMS if form[0] != QuestionType.binary]
    for clauses, forms in (
        (mains, _FORMS),
        (parts[2:][-1:], asking),
        (mains if len(mains) == 1 else (), _UNUSUAL),
        (() if _CLAIM.search(asked) else mains, _NAMING),
    ):
        for words in clauses:
            for type_, form in forms:
                if form.match(words):
                    return type_
    return None


def require_asked_type(
    title: str, given: QuestionType | None = None, *, line: str = ""
) -> QuestionType:
    """Return the type as given, or else binary; BadInput if the title asks for another.

    The remedy names the asked type with its fields, and binary for a title that was misread, with
    the probability of its ``line``.
    """
    asked = asked_type(title)
    if given is not None or asked == QuestionType.binary:
        return given or QuestionType.binary
    fields = {"option": FILL_IN} if asked == QuestionType.multiple_choice else _RANGE
    raise BadInput(
        f"{shortened(title, _REPEATED)!r} asks for {ASKED_FOR[asked]}, not for yes or no.",
        remedy=(
            Remedy("Give its type: {}", "ask", title, type=asked.value, **fields),
            Remedy(
                "\nIf it is yes or no: {}", "ask", line or title, type=QuestionType.binary.value
            ),
        ),
    )


ASKED_FOR = {
    QuestionType.numeric: "a number",
    QuestionType.date: "a day",
    QuestionType.multiple_choice: "one of several options",
}
_RANGE = {"lower": FILL_IN, "upper": FILL_IN}
_REPEATED = 60  # characters of a title that a refusal repeats
