"""Captions and credits of photographs among the lines of a page.

A *credit* names the photographer or the agency ("Name / Agency", "(AP Photo/Name)", "Photo: …").
The sentence above it is the *caption* if it describes a scene with its time or place, in the
present tense or without a verb. If a picture has no caption, a sentence of the text is above the
credit, so doubtful lines stay in the text.
"""

from __future__ import annotations

import re

from forecasts.reading.lines import LONG, ends_as_sentence, sentences, words

AGENCIES = (
    r"AFP|AP|R(?:euters|EUTERS)|G(?:etty(?: Images)?|ETTY(?: IMAGES)?)|B(?:loomberg|LOOMBERG)"
    r"|K(?:yodo(?: News)?|YODO)|J(?:iji|IJI)|X(?:inhua|INHUA)|EPA|EFE|ANSA|dpa|DPA|TASS|Sputnik"
    r"|Y(?:onhap|ONHAP)|KCNA|PTI|ANI|IANS|AAP|PA(?: Wire| Media| Images)?|S(?:ipa(?: USA)?|IPA)"
    r"|ZUMA(?: Press)?|Anadolu(?: Agency)?|NurPhoto|Shutterstock|iStock(?:photo)?|Alamy"
    r"|I(?:mago|MAGO)|UPI|VCG|WireImage|Unsplash|Pexels|Pixabay|Wikimedia(?: Commons)?|Flickr"
    r"|Adobe Stock|Newscom|Polaris|Redux|Magnum(?: Photos)?|Associated Press|Agence France-Presse"
    r"|Press Association|S(?:tringer|TRINGER)|H(?:andout|ANDOUT)|P(?:ool|OOL)|F(?:ile|ILE)"
)
# "EPA A ferry in the harbour": the source and the alternative text.
_SOURCE_FIRST = re.compile(rf"(?:{AGENCIES})(?:[/ ](?:{AGENCIES}))*:? (?=[A-Z\"“‘])")
_AGENCY = re.compile(rf"(?<!\w)(?:{AGENCIES})(?!\w)")
_JOINER = re.compile(
    r"via|for|and|of|by|the|courtesy|photos?|images?|pics?|file|stock|de|la|al|van|von|bin|©",
    re.IGNORECASE,
)
_PICTURE = (
    r"(?:photo(?:graph)?|image|picture|pic|illustration|graphic|still|screenshot|video|chart|map)"
)
_LABELLED = re.compile(
    rf"(?:file )?(?:{_PICTURE}s?|photography)\s*(?:credits?|courtesy|source)?\s*"
    r"(?:[:|/,]|(?:by|courtesy|credit|source|via)\b)"
    rf"|(?:{_PICTURE} )?credits?\s*[:|/–-]|courtesy (?:of|photo)\b|image (?:source|caption)\b"
    rf"|(?:file|handout|stock) {_PICTURE}s?$|{_PICTURE}s?$|©",
    re.IGNORECASE,
)
_NAME_AND_AGENCY = re.compile(r"[A-ZÀ-Þ][\w.'’-]*(?: [\w.'’-]+){0,5} ?[/|] ?[A-Z\d].{1,80}")
SHORT = 20  # words; a sentence up to this length can be a caption with no mark but the credit
_ABBREVIATION = re.compile(r"\b(?:Inc|Ltd|Co|Corp|Jr|[A-Z])\.$")

# A credit at the end of a caption: in brackets, with a label, after a dash or a full stop.
_BRACKETS = re.compile(r"[(\[]([^()\[\]]{2,120})[)\]]\.?$")
_LABEL_AT_END = re.compile(
    r"(?:^|[.!?)”’\"'|–—-]\s*)(?:photo(?:graph)?|image|picture|credit)s?(?: credit)?\s*"
    r"(?::|\bby\b|\bcourtesy of\b)\s*(?-i:[A-Z©]).{2,80}$",
    re.IGNORECASE,
)
_AFTER_DASH = re.compile(r"[.\w)]\s+[—–-]+\s*([^—–]{2,60})$")
_OF_PICTURE = re.compile(r"\b(?:photo|image|pic|picture|courtesy|handout)\b|/", re.IGNORECASE)

_CAPTION_LABEL = re.compile(
    rf"file(?: photo| picture| image)?\s*[:–—-]|{_PICTURE} caption\b|caption\s*:"
    rf"|(?:{_PICTURE}|pictured)(?: above| below)?\s*:",
    re.IGNORECASE,
)
_SIDES = r"(?:left|right|cent(?:er|re)|top|bottom|front|back|above|below)"
_POINTS_AT = re.compile(
    rf"\((?:from |second |third |far |top |bottom |front |back |pictured |seen )?{_SIDES}"
    r"(?: row| left| right| from (?:left|right)|, [^)]{1,30})?\)|\((?:l|r|c)\)"
    r"|\b(?:seen|shown|pictured) (?:here|above|below|in this|in an? (?:undated|file|handout))\b"
    r"|\bin (?:this|an?) (?:\w+ )?(?:file|undated|handout|combination|aerial|satellite|archive)"
    rf"[ \w]{{0,20}}{_PICTURE}\b|\bfile {_PICTURE}\b",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July"
    r"|August|September|October|November|December|(?:Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\."
    r"|(?:19|20)\d{2})\b"
)
_OCCASION = re.compile(
    r"\b(?:at (?:the|an?|his|her|their)|during|ahead of|after|before) .*\b(?:19|20)\d{2}\b"
)
# Actions of people and things in pictures …
_SCENE = re.compile(
    r"\b(?:attends?|arrives?|speaks?|walks?|stands?|sits?|pass(?:es)?|looks?|watch(?:es)?"
    r"|gathers?|protests?|march(?:es)?|carry|carries|loads?|address(?:es)?|rides?|listens?"
    r"|displays?|sails?|hangs?|burns?|rises?|clash(?:es)?|celebrates?|boards?|push(?:es)?|pulls?"
    r"|climbs?|rests?|waits?|works?|prepares?|plays?|delivers?|takes? part|holds?|shows?|leaves?"
    r"|meets?|talks?|visits?|signs?|participates?"
    r"|(?:is|are) (?:joined|displayed|parked|docked|moored|reflected|surrounded|stacked|lined))\b"
)
# … and those that hardly occur elsewhere in the present tense.
_STAGED = re.compile(
    r"\b(?:gathers?|shakes? hands|waves?|unloads?|poses?|greets?|gestures?|queues?|wades?|chants?"
    r"|patrols?|walks? (?:past|along|through|by|near|down|across)|stacks?|lines? up|inspects?"
    r"|stands? (?:near|outside|in front|next|beside|guard|on)|looks? (?:on|at)|harvests?"
    r"|sits? (?:on|in|at|near|outside|next)|(?:is|are) (?:seen|pictured|shown)|on display)\b"
)
_NARRATES = re.compile(
    r"\b(?:was|were|had|has|have|will|would|could|may|might|must|should|can|did|does|do|went|came"
    r"|made|gave|took|rose|fell|became|began|won|lost|met|sent|kept|found|brought|bought|sold|led|ran|saw|sought|grew|knew|drew|flew"
    r"|broke|spoke|wrote|chose|drove|struck|stood|paid|spent|sank|shut|[Bb]ecause|[Aa]lthough|[Hh]owever|[Bb]ut)\b"
    r"|n['’]t\b"
)
_PAST = re.compile(r"\b[a-z]{2,}ed\b")
_QUOTES = re.compile(r"\b(?:said|says|told|according to)\b|[\"“”]", re.IGNORECASE)
_HAS_VERB = re.compile(
    r"\b(?:is|are|go|goes)\b"
    r"|\b[a-z]{2,}ed\b(?! (?:by|in|at|on|near|with|for|as|outside|along|to|from|during)\b)"
)


def is_credit(line: str) -> bool:
    """Return whether a line is the credit of a picture."""
    if len(line) > 140 or len(words(line)) > 14:
        return False
    inner = line.strip("()[]|•·–— ")
    if _LABELLED.match(inner):
        return not (ends_as_sentence(inner) and len(words(inner)) > 8)
    is_name = _AGENCY.search(inner) or _NAME_AND_AGENCY.fullmatch(inner)
    if not is_name or (ends_as_sentence(inner) and not _ABBREVIATION.search(inner)):
        return False
    parts = [part for part in re.split(r"[\s/|,–—-]+", _AGENCY.sub(" ", inner)) if part]
    return all(not part[0].islower() or _JOINER.fullmatch(part) for part in parts)


def is_caption(line: str, following: str | None) -> bool:
    """Return whether a line is a caption; ``following`` is the next line with text."""
    count = len(words(line))
    if count == 0 or count > 80:
        return False
    if line.endswith("|") or _CAPTION_LABEL.match(line):
        return True
    if ends_with_credit(line) or opens_with_source(line):
        return True
    quotes = _QUOTES.search(line) is not None
    few = len(sentences(line)) <= 2
    if _POINTS_AT.search(line) and few and not quotes:
        return True
    if following is None or not is_credit(following):
        return False
    if not ends_as_sentence(line):
        return count >= 3
    if quotes or not few or count > 60 or _NARRATES.search(line):
        return False
    if _STAGED.search(line) or (_SCENE.search(line) and _DATED.search(line)):
        return True
    if _HAS_VERB.search(line):
        return False
    # A short sentence about neither the past nor the future is a caption.
    is_short = count <= SHORT and line.endswith(".") and len(sentences(line)) == 1
    return _OCCASION.search(line) is not None or (is_short and not _PAST.search(line))


def opens_with_source(line: str) -> bool:
    """Return whether a line begins with an agency and continues as a picture's description."""
    return (
        _SOURCE_FIRST.match(line) is not None
        and not is_credit(line)
        and not ends_as_sentence(line)
        and len(words(line)) >= 5
        and not _NARRATES.search(line)
    )


def ends_with_credit(line: str) -> bool:
    """Return whether a line is a caption with its credit."""
    if len(line) > 2 * LONG or is_credit(line) or _QUOTES.search(line):
        return False
    if _LABEL_AT_END.search(line):
        return True
    head, bar, tail = line.rpartition("|")
    if bar and len(words(head)) >= 3 and is_credit(tail.strip()):
        return True
    if bracket := _BRACKETS.search(line):
        # "(AFP)" alone ends an agency's report; "(AP Photo/Name)" is a credit.
        return _OF_PICTURE.search(bracket[1]) is not None and is_credit(bracket[1])
    dashed = _AFTER_DASH.search(line)
    tail = dashed[1] if dashed else sentences(line)[-1]
    return tail != line and not ends_as_sentence(tail) and is_credit(tail)
