"""What identifies by its form, whoever it belongs to: addresses, numbers, paths, names after titles. Pure.

Works on text that is plain (`agents.anonymization.text.folding.plain`). Finds what people and devices write
as a rule; a name that stands alone has no form, and only `agents.anonymization.text.known` finds it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from agents.anonymization.text.folding import fold
from agents.anonymization.text.ordinary import NOBODY, ORDINARY, TITLES

_FLAGS = re.IGNORECASE
_DIGIT = re.compile(r"\d")

_ELECTRONIC = (
    re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|\(at\))\S+", _FLAGS),
    re.compile(r"(?<![^\W_])(?:https?|s?ftps?|file|ldaps?|smb|mailto|tel|dicom|urn):\S+", _FLAGS),
    re.compile(r"(?<![\w.-])www\.\S+", _FLAGS),
    re.compile(
        r"(?<![\w.-])(?:[a-z0-9][a-z0-9-]{0,62}\.)++(?:com|org|net|edu|gov|de|ch|fr|eu|nl|uk|local|lan)(?![\w.-])"
        r"\S*",
        _FLAGS,
    ),
    re.compile(r"(?<![^\W_])[a-z]:[\\/]\S+|\\\\\S+", _FLAGS),
    re.compile(r"(?<![\w/])/(?:home|users?|mnt|data|export|var|srv|media|volumes|usr|tmp|opt)/\S+", _FLAGS),
    re.compile(r"(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])", _FLAGS),
)
_NUMERIC = (
    # telephone: international, national with a leading zero, North American, French
    re.compile(r"(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ ()./-]{0,3}\d){6,12}(?!\d)"),
    re.compile(r"(?<![\w.,/-])(?=(?:[ ()./-]{0,3}\d){7})\(?0\d{1,5}\)?(?:[ ./-]{1,3}\d{2,}){1,5}(?![\d.,])"),
    re.compile(r"(?<![\w.-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\d.])"),
    re.compile(r"(?<![\w.-])0\d(?:[ .-]\d\d){4}(?![\d.])"),
    # social security and the like: US, Germany, France, Switzerland, Spain, Nordic countries, Italy, UK
    re.compile(r"(?<![\w.-])\d{3}-\d\d-\d{4}(?![\w.-])"),
    re.compile(r"(?<!\w)\d\d ?\d{6} ?[A-Z] ?\d{3}(?!\w)"),
    re.compile(r"(?<!\w)[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3}(?: ?\d\d)?(?!\w)"),
    re.compile(r"(?<!\w)756\.?\d{4}\.?\d{4}\.?\d\d(?!\w)"),
    re.compile(r"(?<!\w)[XYZ]?-?\d{7,8}-?[A-Z](?!\w)"),
    re.compile(r"(?<!\w)\d{6}(?:\d\d)?[-+A]\d{3}[\dA-Z](?!\w)"),
    re.compile(r"(?<!\w)[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z](?!\w)"),
    re.compile(r"(?<!\w)[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)"),
    # with what it is in front
    re.compile(
        r"(?<![^\W_])(?:tel|fon|phone|telefon|telephone|t[ée]l[ée]phone|tel[ée]fono|telefax|fax|mobil[e]?|handy|"
        r"cell|pager|durchwahl|ext)[ .:#=()]{1,4}\+?\d[\d ()./-]{2,24}",
        _FLAGS,
    ),
    re.compile(
        r"(?<![^\W_])(?:mrn|pid|ssn|nhs|ahv|nir|dni|nie|bsn|cpr|kvnr|svnr|"
        r"(?:pat(?:ient(?:en)?)?|fall|aufnahme|versicherten|auftrags?|acc(?:ession)?|hosp(?:ital)?|unit|case|order|"
        r"chart|visit|exam|dossier|historia|untersuchungs?)[ ._-]{0,2}(?:id|nr|no|num|number|nummer|#))"
        r"[ .:#=-]{0,4}(?=[\w/-]*\d)[\w/-]+",
        _FLAGS,
    ),
    re.compile(
        r"(?<![^\W_])(?:id|acc|case|fall|order|patient|pat)[ .]?[:#=][ ]?(?=[\w/-]*\d)[\w/-]{2,}", _FLAGS
    ),
    # a birthday, however it is written
    re.compile(
        r"(?<![^\W_])(?:born|birth ?da(?:te|y)|d\.?o\.?b\.?|geb(?:oren)?\.?|geburtsdatum|née? le|nacid[oa]|"
        r"nat[oa])[ .:=]{0,3}(?:(?:am|on|le|el|il) )?\d[\d./ -]{2,9}",
        _FLAGS,
    ),
    # ages above 89: too few people to hide among (45 CFR 164.514(b)(2)(i)(C))
    re.compile(
        r"(?<![\d.,])0?(?:9\d|1[0-2]\d)[ -]?"
        r"(?:y\. ?o\.?|y/?o?|yrs?|years?(?: old)?|jahre?(?: alt)?|jährig\w*|j\.|ans|años|anni)(?![^\W_])",
        _FLAGS,
    ),
    re.compile(
        r"(?<![^\W_])(?:aged?|alter|alt|âge|[aâ]gée? de|edad|età|idade)[ .:=]{0,3}0?(?:9\d|1[0-2]\d)(?!\d)",
        _FLAGS,
    ),
    re.compile(r"(?<![\w.,/-])9\d[FMW](?![^\W_])"),
)
_LONG_NUMBER = re.compile(r"(?<!\d[.,])(?<!\d)\d{6,}")
_UID = re.compile(
    r"(?<![\d.])(?:[0-2](?:\.\d{1,39}){5,}|2\.25\.\d{8,39}|"
    r"[0-2](?:\.\d{1,11}){1,3}\.\d{12,39}(?:\.\d{1,39}){0,4})"
)
"""Of many arcs; or of few, one of them a UUID as a number (2.25.), or longer than any number of a version."""
_REGISTERED = "1.2.840.10008."
_IP = re.compile(
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{1,4}(?![\w:])",
    _FLAGS,
)
_VERSION = 10
"""Four numbers that begin with a smaller one are a version."""

_OPAQUE = re.compile(r"(?<![A-Za-z0-9+=])[A-Za-z0-9+=]{12,}")
_HEXADECIMAL = re.compile(r"[0-9a-f]{12,}|[0-9A-F]{12,}")
_CHANGES = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")
_MIXED, _MIXED_LENGTH, _MIXED_HEXADECIMAL = 6, 16, 3

_POSTAL = (
    re.compile(
        r"(?<![^\W_])[A-ZÄÖÜ][\w.-]{0,48}(?:stra(?:ß|ss)e|str\.|gasse|allee|platz|weg) ?"
        r"\d{1,4} ?[a-z]?(?![^\W_])|"
        r"(?<![^\W_])(?:Straße|Strasse|Calle|Avda\.|C/) ?[A-ZÄÖÜÁÉ][\w.-]*"
        r"(?: [A-ZÄÖÜÁÉ][\w.-]*)?,? \d{1,4}(?!\d)"
    ),
    re.compile(
        r"(?<![\w.])\d{1,5} (?:[A-Z][\w.]* ){1,3}"
        r"(?:Street|St\.|Road|Rd|Avenue|Ave|Lane|Boulevard|Blvd|Drive)(?!\w)"
    ),
    re.compile(
        r"(?<![\w.])\d{1,4},? (?:rue|avenue|boulevard|chemin|place) (?:de |du |des |la |l')*[A-ZÉÈ][\w-]*",
        _FLAGS,
    ),
    re.compile(r"(?<![^\W_])(?:D|A|CH|F|B|L|NL|I|E)-\d{4,5}(?: [^\W\d_][\w.-]*)?"),
    re.compile(r", [A-Z]{2} \d{5}(?:-\d{4})?(?!\d)"),
)
_PLACE = re.compile(r"(?<![\w.,/-])\d{5} ([A-ZÄÖÜÉ][^\W\d_]{2,})")

_TITLED = re.compile(
    r"(?<![^\W_])(?:(?i:prof(?:essor)?|do[ck]tor|docteur|herrn?|frau|monsieur|madame|mademoiselle|mme|mlle|"
    r"se[ñn]or(?:a|ita)?|srta|signor[ae]?|dott(?:oressa|\.ssa)?|priv\.?-?doz|oberarzt|chefarzt|schwester|pfleger)"
    r"(?![^\W_])|(?:Dr|Dres|Mr|Ms|Mrs|Miss|Sra)(?![^\W_])|(?:DR|MR|MS|MRS|Fr|Hr|Sr|Sig|SR|SRA)(?=\.))\.?"
)
_LABEL = re.compile(
    r"(?<![^\W_])(?:(?:patient(?:in|en)?|pat|full|last|first|family|given|maiden|mother)?[ ._'\u2019s-]{0,3}"
    r"(?:name|nom|nombre|nome)|nachname|vorname|surname|pr[ée]nom|apellidos?|patient(?:in|e)?|pat|paciente|paziente|"
    r"(?:referring|attending|ordering|performing|reading|requesting|consulting)? ?(?:physician|doctor|"
    r"radiologist|arzt|ärztin|m[ée]decin|m[ée]dico)|technologist|technician|tech|operator|mtra?|überweiser|zuweiser|einsender|"
    r"befunder|radiologe|contact|cc|attn|sonographer|nurse|dictated|transcribed|signed|author) ?[:=]",
    _FLAGS,
)
_BY = re.compile(
    r"(?<![^\W_])(?:(?:signed|reported|dictated|performed|referred|requested|transcribed|reviewed|approved|verified|"
    r"read|interpreted|validated|ordered|authored|scanned) by|(?:befundet|erstellt|untersucht|validiert|"
    r"überwiesen|geschrieben|unterzeichnet) von|"
    r"(?:son|daughter|wife|husband|mother|father|brother|sister) of|"
    r"(?:sohn|tochter|frau|mann|mutter|vater) von|gez\.|z\. ?hd\.|c/o|née?|geb\.|geborene)(?![^\W_]):?",
    _FLAGS,
)
_PATIENT = re.compile(r"(?<![^\W_])(?:patient(?:in)?|pati?\.|pte?\.?)(?= )", _FLAGS)
_DEGREE = re.compile(r",? ?(?<![^\W_])(?:M\.?D\.?|Ph\.?D\.?|FRCR|FRCS|MBBS|D\.D\.S\.)(?![^\W_])")
_WORD = re.compile(r"[ \t,^.:]{0,3}([^\W\d_][\w'\u2019-]*)\.?")
_BEFORE = re.compile(r"(?:[^\W\d_][\w'\u2019-]*\.?[ ,]{1,2}){0,3}$")
_NAME = re.compile(r"[^\W\d_][\w'\u2019-]*")
_NAME_WORDS = 4
_WORDS_AFTER = 8
"""Words after a title that are looked at: titles come in rows."""
_BEFORE_WINDOW = 80


def patterned(text: str) -> Iterator[tuple[int, int]]:
    """Yield where something identifies by its form; spans may overlap."""
    for pattern in _ELECTRONIC:
        for match in pattern.finditer(text):
            yield match.span()
    if _DIGIT.search(text):
        yield from _numbers(text)
    for pattern in (_TITLED, _BY):
        for match in pattern.finditer(text):
            yield from _name_after(text, match, capital=True)
    for match in _PATIENT.finditer(text):
        # a word with a capital may be anything, and a second one hardly
        yield from _name_after(text, match, capital=True, least=2)
    for match in _LABEL.finditer(text):
        yield from _name_after(text, match, capital=False)
    for match in _DEGREE.finditer(text):
        yield from _name_before(text, match)


def names_object(text: str) -> bool:
    """Tell whether a UID stands in a text that isn't one of the standard's."""
    return any(_is_foreign(match[0]) for match in _UID.finditer(text))


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (*_NUMERIC, *_POSTAL):
        for match in pattern.finditer(text):
            yield match.span()
    for match in _LONG_NUMBER.finditer(text):
        yield _whole_word(text, *match.span())
    for pattern, is_meant in _JUDGED:
        for match in pattern.finditer(text):
            if is_meant(match[0]):
                yield match.span()


def _whole_word(text: str, start: int, end: int) -> tuple[int, int]:
    """Take letters and digits that stand next to a number with it: they are one id."""
    while start and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.version != 4 or address.packed[0] >= _VERSION  # noqa: PLR2004 - IPv4


def _is_opaque(word: str) -> bool:
    """Tell whether a word looks like a hash or an encoded value rather than an abbreviation."""
    changes = len(_CHANGES.findall(word))
    if _HEXADECIMAL.fullmatch(word):
        return changes >= _MIXED_HEXADECIMAL
    return changes >= _MIXED and len(word) >= _MIXED_LENGTH


def _is_foreign(uid: str) -> bool:
    """Tell whether a UID isn't one of the standard's."""
    return not uid.startswith(_REGISTERED)


def _is_town(text: str) -> bool:
    """Tell whether the word behind a postal code may be a town."""
    return fold(text.split(" ")[1]) not in ORDINARY


_JUDGED = (_UID, _is_foreign), (_IP, _is_address), (_OPAQUE, _is_opaque), (_PLACE, _is_town)


def _name_after(
    text: str, match: re.Match[str], *, capital: bool, least: int = 1
) -> Iterator[tuple[int, int]]:
    """Yield a title or label with the name behind it, if what stands there may be one."""
    end, found = match.end(), 0
    for _ in range(_WORDS_AFTER):
        word = _WORD.match(text, end)
        if word is None or found == _NAME_WORDS:
            break
        key = fold(word[1])
        if key not in TITLES and (len(key) > 1 or not word[1].isupper()):
            if key in ORDINARY or key in NOBODY or (capital and not _may_begin_a_name(word[1])):
                break
            found += 1
        end = word.end()
    if found >= least:
        yield match.start(), end


def _name_before(text: str, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    window = max(0, match.start() - _BEFORE_WINDOW)
    words = _BEFORE.search(text[window : match.start()] + " ")
    parts = _NAME.findall(words[0]) if words else []
    names: list[str] = []
    for word in reversed(parts):
        if not _may_begin_a_name(word) or fold(word) in ORDINARY:
            break
        names.append(word)
    if names:
        yield text.rindex(names[-1], window, match.start()), match.end()


def _may_begin_a_name(word: str) -> bool:
    """Tell whether a word begins with a capital, or is of a script that has none."""
    return word[0].isupper() or word[0].lower() == word[0].upper()
