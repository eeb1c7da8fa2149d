"""What a line of a scraped page is: prose, a photograph's caption or credit, or furniture.

The page's HTML is gone, so a line must be judged by its own shape and by the line after it.
Three judgements are made, each by what the kind of line *is* rather than by one site's words:

- *prose* is a sentence: it ends like one, or is too long to be anything else;
- a *credit* names who took a picture ("Name / Agency", "(AP Photo/Name)", "Photo: …"), and the
  sentence above it is its *caption* if it says in the present tense, or without a verb, what is
  to be seen and where or when;
- *furniture* is what the site says about itself: buttons, labels, and calls to the reader
  (an imperative or a "you", together with an app, a newsletter, an account).

What is not clearly a caption or furniture stays in the article: a person can delete a line
that is too many, but does not miss one that is gone.
"""

from __future__ import annotations

import re

LONG = 300  # no credit, no button and no head of an article is longer, in characters

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_END = re.compile(r"[.!?…。！？]['\"’”»)\]]*$")
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.|\[[+.…]*(?:\d+ chars)?\])['\"’”)\]]*$")
_OPEN_END = re.compile(r"[:;,—–-]['\"’”]*$")
_SENTENCE_BREAK = re.compile(r"(?<=[a-z\d)'\"’”%][.!?])['\"’”]* (?=[A-Z\"'“‘])")

AGENCIES = (
    r"AFP|AP|REUTERS|Reuters|Getty(?: Images)?|GETTY(?: IMAGES)?|Bloomberg|BLOOMBERG|Kyodo(?: News)?"
    r"|KYODO|JIJI|Jiji|Xinhua|XINHUA|EPA|EFE|ANSA|dpa|DPA|TASS|Sputnik|Yonhap|YONHAP|KCNA|PTI|ANI"
    r"|IANS|AAP|PA(?: Wire| Media| Images)?|SIPA|Sipa(?: USA)?|ZUMA(?: Press)?|Anadolu(?: Agency)?"
    r"|NurPhoto|Shutterstock|iStock(?:photo)?|Alamy(?: Stock Photo)?|Imago|IMAGO|UPI|VCG|WireImage"
    r"|Unsplash|Pexels|Pixabay|Wikimedia(?: Commons)?|Flickr|Adobe Stock|Newscom|Polaris|Redux"
    r"|Magnum(?: Photos)?|Associated Press|Agence France-Presse|Press Association|Stringer|STRINGER"
    r"|Handout|HANDOUT|Pool|POOL|File(?: photo)?|FILE(?: PHOTO)?"
)
_AGENCY = re.compile(rf"(?<!\w)(?:{AGENCIES})(?!\w)")
_JOINERS = re.compile(
    r"(?i:via|for|and|of|by|the|courtesy|photo|photos|image|images|pic|file|de|la|van|von|bin|al)$"
)
_CREDIT_LABEL = re.compile(
    r"^(?:file )?(?:photo(?:graph|graphy|s)?|image|images|picture|pictures|pic|illustration|graphic"
    r"|video|still|screenshot)\s*"
    r"(?:credits?|courtesy|source)?\s*(?:[:|/,]|\bby\b|\bcourtesy\b|\bcredit\b|\bsource\b|\bvia\b)"
    r"|^(?:photo |image |picture )?credits?\s*[:|/–-]"
    r"|^courtesy (?:of|photo)\b|^image (?:source|caption)\b|^(?:file|handout|stock) (?:photo|picture|image)s?$"
    r"|^photo(?:graph|s)?$",
    re.IGNORECASE,
)
_NAME_SLASH = re.compile(r"^[A-ZÀ-Þ][\w.'’-]*(?: [\w.'’-]+){0,5} ?/ ?[A-Z\d].{1,80}$")
_BRACKET_CREDIT = re.compile(r"[(\[]([^()\[\]]{2,120})[)\]]\.?$")
_LABELLED_CREDIT = re.compile(
    r"(?:^|[.!?)”’\"'|–—-]\s*)(?:photo(?:graph)?|image|picture|credit)s?(?: credit)?\s*"
    r"(?::|\bby\b|\bcourtesy of\b)\s*(?-i:[A-Z©]).{2,80}$",
    re.IGNORECASE,
)
_DASH_TAIL = re.compile(r"[.\w)]\s+[—–-]+\s*([^—–]{2,60})$")
_CAPTION_LABEL = re.compile(
    r"^(?:file(?: photo| picture| image)?\s*[:–—-]|(?:photo|image|picture) caption\b|caption\s*:"
    r"|(?:photo|image|picture|pictured|video)( above| below)?\s*:)",
    re.IGNORECASE,
)
_POSITION = re.compile(
    r"\((?:from |second |third |far |top |bottom |front |back |pictured |seen )?"
    r"(?:left|right|cent(?:er|re)|top|bottom|front|back|above|below)"
    r"(?: row| left| right| from (?:left|right)|, [^)]{1,30})?\)"
    r"|\b(?:seen|shown|pictured) (?:here|above|below|in this|in an? (?:undated|file|handout))\b"
    r"|\bin (?:this|an?) (?:\w+ )?(?:file|undated|handout|combination|aerial|satellite|archive)"
    r"[ \w]{0,20}(?:photo|picture|image|photograph)\b|\bfile (?:photo|picture|image)\b"
    r"|\((?:l|r|c)\)",
    re.IGNORECASE,
)
_WHEN_OR_WHERE = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July"
    r"|August|September|October|November|December|(?:Jan|Feb|Aug|Sept?|Oct|Nov|Dec)\."
    r"|(?:19|20)\d{2})\b"
)
_SCENE = re.compile(
    r"\b(?:attends?|arrives?|speaks?|walks?|stands?|sits?|pass(?:es)?|shakes?|waves?|looks?|watch(?:es)?"
    r"|gathers?|protests?|march(?:es)?|carry|carries|loads?|unloads?|poses?|greets?|address(?:es)?"
    r"|rides?|queues?|inspects?|gestures?|listens?|displays?|sails?|hangs?|burns?|rises?|patrols?"
    r"|clash(?:es)?|celebrates?|chants?|boards?|harvests?|push(?:es)?|pulls?|wades?|climbs?|rests?"
    r"|lines? up|wait|waits|stacks?|stack|works?|prepares?|plays?|delivers?|takes? part|holds?|shows?|leaves?"
    r"|meets?|talks?|visits?|signs?|participates?|is (?:seen|pictured|shown|joined|displayed|parked"
    r"|docked|moored|reflected|surrounded)|are (?:seen|pictured|shown|displayed|parked|docked|moored"
    r"|stacked|lined))\b",
)
_STAGED = re.compile(
    r"\b(?:gathers?|shakes? hands|waves?|unloads?|poses?|greets?|gestures?|queues?|wades?|chants?"
    r"|patrols?|walks? (?:past|along|through|by|near|down|across)|stands? (?:near|outside|in front|next|beside|guard|on)"
    r"|sits? (?:on|in|at|near|outside|next)|looks? (?:on|at)|is (?:seen|pictured|shown)|are (?:seen|pictured|shown)"
    r"|stacks?|lines? up|inspects?|harvests?|on display)\b"
)
_NARRATES = re.compile(
    r"\b(?:said|says|told|was|were|had|has|have|will|would|could|may|might|must|should|can|did|"
    r"does|do|went|came|made|gave|took|rose|fell|became|began|won|lost|left office|met with|"
    r"according to|because|although|however|but)\b|n't\b|n’t\b|[\"“”]",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b[a-z]{2,}ed\b(?! (?:by|in|at|on|near|with|for|as|outside|along|to|from|during)\b)"
)

_BUTTONS = re.compile(
    r"^(?:logo|icon|menu|search|close|home|log ?in|sign ?(?:in|up)|register|subscribe(?: now)?|share"
    r"(?: this)?(?: article| story)?|save(?: article)?|print|e-?mail|copy link|facebook|twitter|x"
    r"|linkedin|whatsapp|telegram|reddit|flipboard|instagram|youtube|tiktok|pinterest|threads"
    r"|bookmark|follow(?: us)?|listen(?: to (?:this )?(?:article|story))?|play|pause|next|previous|prev|back|more|"
    r"load more|show more|see (?:all|more)|view (?:all|more)|read (?:full|the full|more|on).*|continue reading.*"
    r"|skip to .*|jump to .*|back to top|top|go to .*|advert(?:isement|ising)?s?|ad|ads|sponsored(?: content)?"
    r"|promoted|story continues below.*|article continues (?:below|after).*|scroll (?:down|to).*|loading.*"
    r"|comments?(?: \(?\d+\)?)?|\d+ (?:comments?|shares?|views?|likes?|min(?:ute)?s? read)"
    r"|no comments.*|be the first to comment.*|leave a (?:comment|reply).*|post a comment.*|add a comment.*"
    r"|join the (?:conversation|discussion).*|(?:download|get|try|open|install|use) (?:the|our|in)\b.*"
    r"|app[- ]?store.*|.*play[- ]?store|google play|available on .*|.*\bbackground|.*\bai features?|.*\bthumbnail"
    r"|cookie.*|privacy.*|terms(?: (?:of|and|&).*)?|about(?: us)?|contact(?: us)?|careers|help|faq|site ?map"
    r"|advertise.*|newsletters?.*|(?:our )?(?:latest|top|trending|popular|breaking) (?:news|stories|headlines|articles|videos)"
    r"|get started.*|learn more|click here.*|tap here.*|explore .*:|what .* can do for you:?|accept(?: all)?(?: cookies)?"
    r"|image|photo|video|watch|gallery|slideshow|transcript|tags?|topics?|categor(?:y|ies)|filed under.*"
    r"|time|date|clock|calendar|by|source|language|english|translate|settings|edition|account|profile|notifications?)[.:!…]*$",
    re.IGNORECASE,
)
# From here on nothing of the article follows: what others wrote, or what to read next.
_AFTER_ARTICLE = re.compile(
    r"^(?:(?:user |reader |all |latest )?comments?(?: section)?(?: \(?\d+\)?)?|\d+ comments?|no comments yet.*"
    r"|leave a (?:comment|reply).*|join the (?:conversation|discussion).*"
    r"|(?:related|recommended|similar|suggested|popular|trending|latest|other|further) (?:articles?|stories|story|news|"
    r"posts?|content|coverage|reading|topics?|videos?|headlines|reads)|related|recommended(?: for you)?"
    r"|more (?:from|on|in|stories|news|articles|like this|to read|coverage|headlines|top stories)\b.*"
    r"|(?:most|top) (?:read|popular|viewed|shared|commented|stories|news|headlines)\b.*"
    r"|(?:you (?:may|might) (?:also )?(?:like|be interested)|people also read|also (?:read|in|on|from)|what to read next"
    r"|read next|up next|next (?:article|story)|editors?['’]?s? picks?|don['’]t miss|trending(?: now)?|in other news"
    r"|around the web|from our partners|sponsored (?:links|content)|popular now|keep reading|stay (?:connected|informed))\b.*"
    r"|(?:download|get|try) (?:the|our) .{0,30}\b(?:app|features?)|orange background|about (?:us|the author)"
    r"|privacy policy|terms of (?:use|service)|all rights reserved.*|follow us(?: on.*)?)[.:!…]*$",
    re.IGNORECASE,
)
_INLINE_TEASER = re.compile(
    r"^(?:(?:also |must |further |see )?read(?: more| also| next)?|related(?: (?:article|story|news|coverage|reading))?s?|see also|watch"
    r"(?: (?:now|also|live))?|listen|in pictures|explainer|more on this|recommended|also on .{2,30}|don['’]t miss"
    r"|what to know)\s*(?:[:|»>→–—]|\s-\s)\s*\S",
    re.IGNORECASE,
)
_ORIGIN = re.compile(
    r"^(?:this|a version of this|the) (?:article|story|piece|post|report|essay|column|op-?ed|commentary|item|content)"
    r"(?: (?:was|has been|is))?(?: (?:originally|first|previously|also|re))?[- ]*"
    r"(?:appear(?:ed|s)|(?:re)?published|(?:re)?posted|syndicated|reproduced|produced|provided)\b"
    r"|^(?:©|\(c\)|copyright\b)|\ball rights reserved\b|©\s*(?:19|20)\d{2}|^originally (?:published|appeared)"
    r"|^(?:first )?published (?:in|by|on) .{0,60}(?:©|\d{4}\.?$)|^distributed by\b|^republished (?:with|from|under)\b"
    r"|^reprinted (?:with|from)\b",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"\b(?:apps?|app ?stores?|google play|play ?store|newsletters?|inbox|subscri(?:be|ption|bers?)|sign(?:ing)? (?:up|in)"
    r"|log(?:ging)? in|register|free trial|push notifications?|breaking[- ]news alerts?|cookies|privacy policy|terms of (?:use|service)|follow us"
    r"|our (?:\w+ )?(?:newsletter|app|journalism|reporters|community|channel|coverage|website|site|reporting|readers|ai|podcast|team)"
    r"|(?:telegram|whatsapp|youtube) channel|click here|tap here|ai features?|ad[- ]?free|exclusive content|unlimited access"
    r"|premium|member(?:ship)?|donat(?:e|ion)|qr code|browser|javascript|ad ?blocker|stay (?:informed|connected|up to date|updated|ahead))\b",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"(?:^|[.!?:]\s+|\bto \S+ \S+, )(?:please |just |simply )?(?:download|sign up|subscribe|explore|try|get|read|click|tap|follow|join|share|log in|sign in"
    r"|register|install|open|discover|scan|support|become|upgrade|start|stay|enable|turn (?:on|off)|never miss|don['’]t miss|want|love|ready|create|unlock|enjoy|buy"
    r"|visit|check out|send|donate|contact|email|accept|manage|choose|add|find (?:us|out more)|like what)\b",
    re.IGNORECASE,
)
_READER = re.compile(r"\b(?:you|your|you['’]ve|you['’]re|us|we|our)\b", re.IGNORECASE)
_REPORTS = re.compile(
    r"\b(?:said|says|told|according to|announced|added|warned|reported|wrote)\b|[\"“”]",
    re.IGNORECASE,
)


def words(line: str) -> list[str]:
    """Return the words of a line: runs that hold a letter or a digit.

    Chinese and Japanese put no space between words; two signs count as one.
    """
    return [word for word in _WORD.findall(line) if any(sign.isalnum() for sign in word)]


def ends_as_sentence(line: str) -> bool:
    """Return whether a line ends with a full stop, question or exclamation mark."""
    return _END.search(line) is not None


def trails_off(line: str) -> bool:
    """Return whether a line was cut short, as teasers are."""
    return _TRAILS_OFF.search(line) is not None


def is_prose(line: str) -> bool:
    """Return whether a line is a sentence or more, judged by its end and its length."""
    count = len(words(line))
    if ends_as_sentence(line):
        return count >= 2 or len(line) > 40
    return count >= 25 or (count >= 8 and _OPEN_END.search(line) is not None)


def is_heading_like(line: str) -> bool:
    """Return whether a line could be a title: short, and not ending with a full stop."""
    return (
        1 <= len(words(line)) <= 30
        and len(line) <= LONG
        and not line.rstrip("'\"’”)").endswith((".", "…", ":", ",", ";", "|"))
    )


def is_credit(line: str) -> bool:
    """Return whether a line says whose picture, and nothing else."""
    if len(line) > 140 or len(words(line)) > 14:
        return False
    inner = line.strip("()[]|•·–— ")
    if _CREDIT_LABEL.search(inner):
        return not (ends_as_sentence(inner) and len(words(inner)) > 8)
    if ends_as_sentence(inner) and not re.search(r"\b(?:Inc|Ltd|Co|Jr)\.$", inner):
        return False
    parts = [part for part in re.split(r"[\s/|,–—-]+", _AGENCY.sub(" ", inner)) if part]
    if _AGENCY.search(inner):
        return all(
            part[0].isupper() or part[0].isdigit() or part == "©" or _JOINERS.match(part)
            for part in parts
        )
    if _NAME_SLASH.match(inner):
        return all(
            part[0].isupper() or not part[0].isalpha() or _JOINERS.match(part) for part in parts
        )
    return False


def is_caption(line: str, following: str | None) -> bool:
    """Return whether a line describes a picture; ``following`` is the next line with text."""
    count = len(words(line))
    if count == 0 or count > 80:
        return False
    if line.endswith("|") or _CAPTION_LABEL.match(line):
        return True
    if ends_with_credit(line):
        return True
    if _POSITION.search(line) and not _REPORTS.search(line) and _sentences(line) <= 2:
        return True
    if following is None or not is_credit(following):
        return False
    if not ends_as_sentence(line):
        return count >= 3
    if _sentences(line) > 2 or count > 60 or _REPORTS.search(line):
        return False
    narrates = _NARRATES.search(line) is not None
    scene = _SCENE.search(line) is not None
    if _STAGED.search(line) and not narrates:
        return True
    placed = _WHEN_OR_WHERE.search(line) is not None
    return placed and (scene or not (narrates or _PAST.search(line)))


def ends_with_credit(line: str) -> bool:
    """Return whether a caption and its credit stand on one line."""
    if is_credit(line):
        return False
    if _LABELLED_CREDIT.search(line) and not _REPORTS.search(line):
        return True
    head, bar, tail = line.rpartition("|")
    if bar and len(words(head)) >= 3 and is_credit(tail.strip()):
        return True
    bracket = _BRACKET_CREDIT.search(line)
    if bracket is None:
        # "… on Monday. REUTERS/Name" and "… on Monday. — AFP pic"
        tail = _SENTENCE_BREAK.split(line)[-1] if _SENTENCE_BREAK.search(line) else ""
        if dashed := _DASH_TAIL.search(line):
            tail = dashed[1]
        return 0 < len(tail) < len(line) and not ends_as_sentence(tail) and is_credit(tail)
    inner = bracket[1]
    named = (
        re.search(r"\b(?:photo|image|pic|picture|courtesy|handout)\b", inner, re.IGNORECASE)
        or "/" in inner
    )
    return bool(named) and is_credit(inner)


def is_furniture(line: str) -> bool:
    """Return whether a line belongs to the site and not to an article."""
    if not words(line):
        return True
    if len(line) <= LONG and (_BUTTONS.match(line) or _INLINE_TEASER.match(line)):
        return True
    return is_origin(line) or is_advert(line)


def is_origin(line: str) -> bool:
    """Return whether a line only says where the text first appeared and whose it is."""
    return len(line) <= LONG and _ORIGIN.search(line) is not None and _sentences(line) <= 3


def is_advert(line: str) -> bool:
    """Return whether a line calls on the reader to use, buy or join something of the site."""
    if len(line) > 600 or _REPORTS.search(line) or not _PRODUCT.search(line):
        return False
    return _IMPERATIVE.search(line) is not None or (
        _READER.search(line) is not None and len(words(line)) <= 40 and _sentences(line) <= 3
    )


def ends_article(line: str) -> bool:
    """Return whether a line opens what stands below an article: comments, related stories."""
    return len(line) <= LONG and _AFTER_ARTICLE.match(line.strip("•·*- ")) is not None


def _sentences(line: str) -> int:
    return len(_SENTENCE_BREAK.findall(line)) + 1
