"""The type of question that a title asks: yes or no, a number, a day or one of several options.

Read from the first words of its main clause: "How many ships …?" asks for a number, "In 2027, who
will …?" for one of several, "Will it be known by May who …?" for yes or no. A title that only
names an event, "Rain in London tomorrow", asks whether it happens.
"""

from __future__ import annotations

import re

from forecasts.common.errors import FILL_IN, BadInput, Remedy
from forecasts.common.text import shortened
from forecasts.common.vocabulary import QuestionType

_CLAUSES = re.compile(r"([,:;?!]\s|\s[–—-]+\s)")
# Words before a comma that the main clause follows; otherwise the comma begins a relative clause,
# "The bank, which met in May, cuts its rate".
_OPENING = re.compile(
    r"(?i)(?:in|on|by|at|of|if|after|before|when|where|once|during|until|for|between|among|from"
    r"|next|this|as|with|assuming|given|suppose|provided|while|should|whoever|however|\d+)\b"
)
_VERB = (
    r"(?:will|would|is|are|was|were|does|do|did|can|could|may(?!,? \d)|might|shall|should|has|have"
    r"|had|must|won['’]t|isn['’]t|doesn['’]t)\b"
)
_ASKING = (
    r"(?:(?:at least|at most|about|around|roughly|by|in|on|at|for|to|of|from|with|until|till|since"
    r"|within|during|under|over|through|above|against|into) )?"
)
_FEW = rf"(?:(?!{_VERB})[\w'’%-]+ ){{0,2}}"
_DAYS = rf"{_FEW}(?:day|date|week|month|quarter|year|decade|time|weekday)s?\b"
_FIGURES = (
    rf"{_FEW}(?:number|count|share|percentage|per ?cent|proportion|fraction|rate|price|level|score"
    r"|margin|value|amount|total|sum|size|temperature|turnout|rank|average|median|age|cost|speed"
    r"|length|height|weight|distance|volume|quantity|majority|salary|yield|index)s?\b"
)
_CHANCES = rf"(?:the |your )?{_FEW}(?:chances?|odds|probability|likelihood)\b"
_NAMES = r"(?:name|named|called|title|outcome|result|decision|reason|winner|happen)\b"
_IS = r"(?: will be| will| is| are| was|['’]s)?(?: the)?"
# The first form that the clause begins with counts. "When" and "where" ask only before a verb:
# "When they meet, will they sign?" is yes or no.
_FORMS = tuple(
    (type_, re.compile(form, re.IGNORECASE))
    for type_, form in (
        (QuestionType.binary, rf"{_VERB}|whether\b|(?:how to|what if|how about|what about)\b"),
        (QuestionType.binary, rf"how (?:likely|probable|sure|certain)\b|what{_IS} {_CHANCES}"),
        (QuestionType.date, rf"{_ASKING}when(?:['’]s| (?:\w+ )?{_VERB}|$)"),
        (QuestionType.date, rf"{_ASKING}(?:how (?:soon|early|late)\b|(?:which|what){_IS} {_DAYS})"),
        (QuestionType.numeric, rf"{_ASKING}(?:which|what){_IS} {_FIGURES}|(?:to) what extent\b"),
        (QuestionType.numeric, rf"{_ASKING}how (?!{_VERB})\w+"),
        (QuestionType.multiple_choice, rf"{_ASKING}(?:who|whom|whose|which|why|how)\b"),
        (QuestionType.multiple_choice, rf"{_ASKING}where(?:['’]s| {_VERB})"),
        (QuestionType.multiple_choice, rf"what{_IS} {_FEW}{_NAMES}|what .*\bcalled\b"),
        (QuestionType.numeric, rf"what {_VERB}.*\b(?:be|cost|close|stand|trade|weigh|measure)\b"),
        (QuestionType.multiple_choice, rf"{_ASKING}what\b"),
    )
)


def asked_type(title: str) -> QuestionType:
    """Return the type of question that the title asks.

    >>> [asked_type(title).value for title in ("How many ships by May?", "Will it rain by May?")]
    ['numeric', 'binary']
    """
    parts = _CLAUSES.split(title)
    before = ", "
    for clause, after in zip(parts[::2], [*parts[1::2], ""], strict=True):
        words = clause.strip()
        is_main = words == parts[0].strip() or before[0] != "," or _OPENING.match(parts[0])
        if words.startswith("WHO ") and not title.isupper():
            return QuestionType.binary  # the World Health Organization
        if is_main:
            for type_, form in _FORMS:
                if form.match(words):
                    return type_
        before = after
    return QuestionType.binary


def require_asked_type(title: str, given: QuestionType | None = None) -> QuestionType:
    """Return the type as given, or else binary; BadInput if the title asks for another.

    The remedy names the asked type with its fields, and binary for a title that was misread.
    """
    asked = asked_type(title)
    if given is not None or asked == QuestionType.binary:
        return given or QuestionType.binary
    fields = {"option": FILL_IN} if asked == QuestionType.multiple_choice else _RANGE
    raise BadInput(
        f"{shortened(title, _REPEATED)!r} asks for {ASKED_FOR[asked]}, not for yes or no.",
        remedy=(
            Remedy("Give its type: {}", "ask", title, type=asked.value, **fields),
            Remedy("\nIf it is yes or no: {}", "ask", title, type=QuestionType.binary.value),
        ),
    )


ASKED_FOR = {
    QuestionType.numeric: "a number",
    QuestionType.date: "a day",
    QuestionType.multiple_choice: "one of several options",
}
_RANGE = {"lower": FILL_IN, "upper": FILL_IN}
_REPEATED = 60  # characters of a title that a refusal repeats
