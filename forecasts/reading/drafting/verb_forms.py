"""Verb forms: the base of "closing" and "meets", and the past forms of "close" and "meet".

English spelling with its common exceptions; an unknown irregular verb counts as regular. Rejected:
a dictionary of word forms (``lemminflect``, ``pattern``), which is larger than the ledger.
"""

from __future__ import annotations

import re

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


# ---- the past forms of "meet"

_PASTS = {
    base: tuple(forms.split("/"))
    for base, forms in re.findall(
        r"(\w+):(\S+)",
        """be:was/were become:became begin:began/begun break:broke/broken bring:brought build:built
        buy:bought catch:caught choose:chose/chosen come:came cut:cut deal:dealt draw:drew/drawn
        drive:drove/driven fall:fell/fallen fight:fought find:found flee:fled fly:flew/flown
        get:got give:gave/given go:went/gone grow:grew/grown have:had hear:heard hit:hit hold:held
        keep:kept lay:laid lead:led leave:left let:let lose:lost make:made meet:met pay:paid
        put:put quit:quit rise:rose/risen run:ran say:said seek:sought sell:sold send:sent set:set
        shut:shut sink:sank/sunk speak:spoke/spoken spend:spent split:split stand:stood
        steal:stole strike:struck swear:swore/sworn take:took/taken tell:told throw:threw/thrown
        win:won withdraw:withdrew/withdrawn write:wrote/written""",
    )
}


def past_forms(base: str) -> tuple[str, ...]:
    """Return the past tense and participle: ("closed",), ("took", "taken")."""
    if base in _PASTS:
        return _PASTS[base]
    if base.endswith("e"):
        return (f"{base}d",)
    if base.endswith("y") and base[-2:-1] not in "aeiou":
        return (f"{base[:-1]}ied",)
    return (f"{base}ed", f"{base}{base[-1:]}ed")
