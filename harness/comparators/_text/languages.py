"""Which language a text is in, told by its function words: enough to see that an answer came in another one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from harness.comparators._text.vocabulary import word_set
from harness.comparators._text.words import CACHED_TEXTS, Words

# Words that are frequent in one of these languages and rare in the others, diacritics folded.
_MARKS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "English": word_set(
            "the of and is was that with for are this from were have which by not you your it they their will would"
        ),
        "German": word_set(
            """
    der die das und ist nicht ein eine mit von den dem wurde auf auch sind wird fur
    """
        ),
        "French": word_set(
            """
    le les des est et une dans du pour qui sur pas avec sont ete cette il elle
    """
        ),
        "Spanish": word_set("el los las y una por con es del para fue su como pero esta son lo"),
        "Italian": word_set(
            """
    il gli di che e della per sono nel una stato con alla dei delle piu anche
    """
        ),
        "Portuguese": word_set("o os as um uma nao do da em foi dos das com pelo pela sao ao mais"),
        "Dutch": word_set("het een van en dat niet voor zijn met werd aan ook naar bij uit deze"),
    }
)
_LANGUAGES = {
    word: tuple(name for name, marks in _MARKS.items() if word in marks) for word in frozenset().union(*_MARKS.values())
}
_SCRIPTS = (
    ("\u0370", "\u03ff", "Greek"),
    ("\u0400", "\u04ff", "Russian"),
    ("\u0590", "\u05ff", "Hebrew"),
    ("\u0600", "\u06ff", "Arabic"),
    ("\u0900", "\u097f", "Hindi"),
    ("\u0e00", "\u0e7f", "Thai"),
    ("\u3040", "\u30ff", "Japanese"),
    ("\u4e00", "\u9fff", "Chinese"),
    ("\uac00", "\ud7af", "Korean"),
)
_LOOKED_AT = 500  # characters
_LEAST = 10  # tokens; a name is in no language
_LEAST_MARKS = 3
_SHARE = 0.1  # of the tokens that are marks
_AHEAD = 2.0  # times as many marks as of the next language


@lru_cache(maxsize=CACHED_TEXTS)
def language(words: Words) -> str | None:
    """One of seven languages in Latin script, or what another script is mostly written for; None where not clear."""
    if words.latin < 0.5:
        return _by_script(words.text)
    forms = [token.form for token in words.tokens[:300]]
    if len(forms) < _LEAST:
        return None
    found = Counter(name for form in forms for name in _LANGUAGES.get(form, ()))
    (most, name), (next_most, _) = sorted(((found[name], name) for name in _MARKS), reverse=True)[:2]
    return name if most >= max(_LEAST_MARKS, _SHARE * len(forms)) and most >= _AHEAD * max(next_most, 0.5) else None


def _by_script(text: str) -> str | None:
    """By the script of most letters; Japanese where kana stand among Chinese characters."""
    found = Counter(name for char in text[:_LOOKED_AT] for first, last, name in _SCRIPTS if first <= char <= last)
    if found.total() < _LEAST:
        return None
    return "Japanese" if found["Japanese"] else found.most_common(1)[0][0]
