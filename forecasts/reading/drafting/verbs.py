"""Verbs: their base and past forms, and whether one puts a time into the past.

Most times in the news have no year, and only the verb tells which Friday is meant: "met on Friday"
against "meets on Friday". The last verb before the time in the same sentence decides; without one
("On Friday, the court adjourned"), or if the time begins a clause ("…, and on Friday it did"), the
first verb after it. Only verb forms that need no dictionary are recognised; otherwise the time does
not count as past. In a question, "cut" and the like are infinitives: "Will the bank cut its rate on
11 December?".

English spelling with its common exceptions; an unknown irregular verb counts as regular. Rejected:
a dictionary of word forms (``lemminflect``, ``pattern``), which is larger than the ledger.
"""

from __future__ import annotations

import re

from forecasts.reading.lines import alternatives

_PASTS = {
    base: tuple(forms.split("/"))
    for base, forms in re.findall(
        r"(\w+):(\S+)",
        """arise:arose/arisen be:was/were bear:bore/borne beat:beat/beaten become:became
        begin:began/begun break:broke/broken bring:brought build:built burst:burst buy:bought
        catch:caught choose:chose/chosen come:came cut:cut deal:dealt dig:dug draw:drew/drawn
        drink:drank/drunk drive:drove/driven eat:ate/eaten fall:fell/fallen feed:fed feel:felt
        fight:fought find:found flee:fled fly:flew/flown foresee:foresaw/foreseen
        forget:forgot/forgotten freeze:froze/frozen get:got give:gave/given go:went/gone
        grow:grew/grown have:had hear:heard hide:hid/hidden hit:hit hold:held keep:kept
        know:knew/known lay:laid lead:led leave:left lend:lent let:let lie:lay/lain lose:lost
        make:made mean:meant meet:met oversee:oversaw/overseen overtake:overtook/overtaken
        overthrow:overthrew/overthrown pay:paid put:put quit:quit rebuild:rebuilt ride:rode/ridden
        ring:rang/rung rise:rose/risen run:ran say:said see:saw/seen seek:sought sell:sold send:sent
        set:set shake:shook/shaken shed:shed shoot:shot shut:shut sing:sang/sung sink:sank/sunk
        sit:sat sleep:slept slide:slid speak:spoke/spoken spend:spent split:split spread:spread
        stand:stood steal:stole/stolen strike:struck swear:swore/sworn sweep:swept swim:swam/swum
        swing:swung take:took/taken teach:taught tear:tore/torn tell:told think:thought
        throw:threw/thrown undergo:underwent/undergone undertake:undertook/undertaken uphold:upheld
        wake:woke/woken wear:wore/worn win:won withdraw:withdrew/withdrawn write:wrote/written""",
    )
}
IRREGULAR = "|".join(past for past, *_ in _PASTS.values() if past not in ("was", "had", "let"))
# That another says so: "the bank said that", "analysts expect".
REPORTING = (
    r"(?:said|says?|saying|thinks?|thought|signal(?:l?ed|s)?|admit(?:s|ted)?|(?:warn|believe"
    r"|predict|insist|confirm|fear|hope|suggest|indicate|report|estimate|argue|claim|forecast|expect"
    r"|show|assume|guess|reckon|suspect|doubt|hint|project|caution|stress)(?:e?[ds])?"
    r"|(?:add|announce|promise|pledge|vow|acknowledge|concede|declare)(?:e?d|s))"
)
# Their infinitive and their past are alike.
_ALIKE = "cut|put|quit|set|split|spread|shed|burst|shut|beat"


def past_forms(base: str) -> tuple[str, ...]:
    """Return the past tense and participle: ("closed",), ("took", "taken")."""
    if base in _PASTS:
        return _PASTS[base]
    if base.endswith("e"):
        return (f"{base}d",)
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return (f"{base[:-1]}ied",)
    return (f"{base}ed", f"{base}{base[-1:]}ed")


# ---- the base of "closing"

_DOUBLED = re.compile(r"([bdgklmnprt])\1$")  # "cutt", but not "pass"
_KEEPS_DOUBLE = re.compile(r"(?:add|egg|(?<!ance)(?<!ntro)(?<!rave)(?<!labe)(?<!gna)(?<!pe)ll)$")
_SHORT = {"dy": "die", "ly": "lie", "ty": "tie", "vy": "vie", "us": "use", "su": "sue"}
# An "e" was lost after these letters, and after a single vowel with a single consonant ("hir"),
# unless that syllable is unstressed ("visit", "offer").
_LOST_E = re.compile(
    r"(?:[cvuz]|[^s]s|[dlr]g|(?:ha|ra|lle|ave|lu)ng|[bcdfgkptz]l|(?:ea|a)th|(?:cre|[cdntx]u|i)at"
    r"|(?:^|[^aeiou]|qu)[aeiouy][bdgklmnprt])$"
)
_UNSTRESSED = re.compile(
    r"(?:[a-z]{2}er|[a-z]{2}en|[a-z]on|[a-z]el|[a-z]{2}op|(?:it|av|ct|ns|nd|ab)or|focus|signal"
    r"|(?:vis|lim|ex|ed|prof|benef|depos|prohib|inhib|exhib|aud|cred|inher)it|equal|(?<!c)hang"
    r"|(?:targ|mark|budg)et|(?:pil|piv|ball)ot|(?<=r)ship)$"
)
_STRESSED = re.compile(r"(?:conven|interven|phon|postpon|adher|interfer|persever)$")


def base_of_gerund(gerund: str) -> str:
    """Return the base form.

    >>> [base_of_gerund(word) for word in ("closing", "cutting", "selling", "meeting", "lying")]
    ['close', 'cut', 'sell', 'meet', 'lie']
    """
    stem = gerund.removesuffix("ing")
    if stem in _SHORT:
        return _SHORT[stem]
    if len(stem) < 3 or not re.search(r"[aeiouy]", stem):
        return stem
    if _DOUBLED.search(stem):
        return stem if _KEEPS_DOUBLE.search(stem) else stem[:-1]
    is_bare = _UNSTRESSED.search(stem) and not _STRESSED.search(stem)
    return f"{stem}e" if _LOST_E.search(stem) and not is_bare else stem


# ---- the base of "meets"

_ES = re.compile(r"(?:go|publish|launch|switch|finish|address|pass|push|reach|miss|fix)(?=es$)")
_Y = re.compile(r"(?<=[^aeiou])(?=ies$)")
_HEAD = re.compile(r"(.+?)(?:\s+(?:of|at|in|on|for|from|to|with|across|between|by)\s.*)?$")


def base_of_present(present: str, subject: str) -> str:
    """Return "meet" for "meets", or for "meet" after a plural; otherwise '': it may be a noun."""
    first, _, others = present.partition(" ")
    head = _HEAD.sub(r"\1", subject)
    if match := _ES.match(first):
        first = match.group()
    elif match := _Y.search(first):
        first = first[: match.start()] + "y"
    elif first.endswith("s") and not first.endswith("ss"):
        first = first.removesuffix("s")
    elif not _is_plural(head):
        return ""
    return f"{first} {others}".strip()


def _is_plural(head: str) -> bool:
    ends_in_s = re.search(r"[a-z]s$", head) and not head.endswith(("ss", "'s", "’s"))
    return bool(ends_in_s) or re.search(r"\b(?:and|people|police|women|men)\b", head) is not None


# ---- tense

_NO_PAST = alternatives(
    "need speed feed seed proceed exceed succeed indeed bed red hundred sacred united embed "
    "breed greed weed creed naked wicked rugged unchanged unaltered"
)
# An infinitive after these reports a past action, done or not done.
_DONE_TO = alternatives(
    "failed managed began begun started continued refused declined forced able used had went "
    "came tried helped happened proved served returned flew travelled traveled moved fell rose "
    "dropped grew climbed slipped sank shrank narrowed widened slowed ceased hesitated appeared "
    "seemed"
)
# An infinitive after these announces a future action.
_TO_COME = alternatives(
    "scheduled planned slated due expected set proposed postponed delayed rescheduled projected "
    "forecast tipped pencilled earmarked anticipated asked invited ordered given told promised "
    "pledged vowed agreed threatened bound likely unlikely poised hoping hope hopes hoped"
)
_MODAL = alternatives("will won't would shall should could may might must can to 'll")
_NO_VERB = alternatives("the a an his her its their our this that have be")
_PRESENT = alternatives(
    "is are am expires expire lapses lapse takes take begins begin starts start ends end opens "
    "open closes close meets meet resumes resume reopens reopen convenes convene gathers gather "
    "goes go comes come expects expect predicts predict foresees foresee"
)
_NOUN_TOO = alternatives(
    "plan plans vote votes return returns run runs leave leaves fall falls report reports "
    "result results"
)
_ADVERBS = r"(?:(?:not|never|also|now|still|only|already|yet|all|both|even|then|\w+ly)\s+)*"
_NOT_A_NOUN = r"(?<!\ba\s)(?<!\ban\s)(?<!\bthe\s)(?<!\bits\s)(?<!\btheir\s)(?!(?<=\brate\s)cut\b)"

_VERB = re.compile(
    rf"""
    (?P<done_to>\b(?:{_DONE_TO}|had\s+(?:been\s+)?\w+|(?:was|were|been)\s+(?:\w+\s+){{0,2}}\w+ing)
           \s+to\s+[a-z]+)
  | (?P<ahead>
        \b(?:{_MODAL})\s+{_ADVERBS}(?:be\s+{_ADVERBS}[a-z]+|(?!(?:{_NO_VERB})\b)[a-z]+)
            (?:\s+or\s+[a-z]+)?
      | (?<!\blet\sit\s)\bbe\s+{_ADVERBS}[a-z]+
      | \b(?:is|are|am)\s+{_ADVERBS}[a-z]+(?:ed|en|ing|t|ld|de|wn)\b
      | (?:\b(?:has|have|had)\s+)?(?:\bbeen\s+)?{_ADVERBS}\b(?:{_TO_COME})\b
            (?=\s+(?:to|for|until|by|in|on|at)\b|(?:\s+[\w'-]+){{1,5}}\s+for\s*$)
      | \b(?:has|have)\s+until\b
      | \b(?:{_PRESENT})\b
      | \b(?:stays?|remains?|keeps?)\s+[a-z]+
      | \b(?:is|are|am)\b
    )
  | (?P<noun_too>\b(?:{_NOUN_TOO})\b)
  | (?P<alike>(?<!\bthat\s)(?<!\bwho\s)(?<!\bwhich\s)(?<!\bwas\s)(?<!\bwere\s)(?<!\bbeen\s)
        (?<!\bhad\s)(?<!\bhas\s){_NOT_A_NOUN}\b(?:{_ALIKE})\b)
  | (?P<past>
        \b(?i:was|were|had|did|has|have)\b
      | {_NOT_A_NOUN}(?<!\bnew\s)
        (?<!\bon\s)(?<!\bof\s)(?<!\bfor\s)(?<!\bin\s)(?<!\bwith\s)(?<!\bfrom\s)
        \b(?!(?:{_NO_PAST})\b)[a-z]{{2,}}ed\b
      | {_NOT_A_NOUN}\b(?:{IRREGULAR})\b
    )
    """,
    re.VERBOSE,
)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n\s*\n")
_CLAUSE_END = re.compile(r"[,:]|\b(?:that|which|who|and|but|as|while|because|if|when)\b")
_NEW_CLAUSE = re.compile(r"[,;]\s+(?:and|but)\s+$")
_ASKS_BACK = re.compile(r"\W*(?:Was|Were|Did|Had|Has|Have)\b")
_BEFORE, _AFTER = 200, 120  # characters searched for the verb before and after the time


def is_in_the_past(text: str, start: int, end: int, *, has_verb: bool = False) -> bool:
    """Return whether the verb of the time ``text[start:end]`` is in the past.

    ``has_verb``: a present-tense verb is known to precede the time, so verbs after it do not
    count. A past-tense verb before it still does, because the other may be a noun.
    """
    begin = max(0, start - _BEFORE)
    for stop in _SENTENCE_END.finditer(text, begin, start):
        begin = stop.end()
    stop_after = _SENTENCE_END.search(text, end, end + _AFTER)
    is_question = stop_after is not None and stop_after[0] == "?"
    asks = is_question and _ASKS_BACK.match(text, begin) is None  # of the future
    last: re.Match[str] | None = None
    for verb in _VERB.finditer(text, begin, start):
        # A clause has one verb: in "announced its plans on Friday", "plans" is a noun.
        is_noun = verb.lastgroup == "noun_too" and _is_past(last) and not asks
        if not is_noun or (last and _CLAUSE_END.search(text, last.end(), verb.start())):
            last = verb
    if asks and (last is None or last.lastgroup == "alike"):
        return False
    if has_verb:
        return _is_past(last)
    if last is None or last.lastgroup == "noun_too" or _NEW_CLAUSE.search(text, last.end(), start):
        last = _VERB.search(text, end, stop_after.start() if stop_after else end + _AFTER) or last
    return _is_past(last)


def _is_past(verb: re.Match[str] | None) -> bool:
    return verb is not None and verb.lastgroup in ("past", "alike", "done_to")
