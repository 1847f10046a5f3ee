"""Which language a text is in, told by its function words: enough to see that an answer came in another one."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.comparators._text.vocabulary import word_set
from harness.comparators._text.words import Words

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
_LEAST = 10  # tokens; a name is in no language
_LEAST_MARKS = 3
_SHARE = 0.1  # of the tokens that are marks
_AHEAD = 2.0  # times as many marks as of the next language


def language(words: Words) -> str | None:
    """One of seven languages in Latin script; None where that is not clear."""
    forms = [token.form for token in words.tokens[:300]]
    if len(forms) < _LEAST:
        return None
    counts = sorted(((sum(form in marks for form in forms), name) for name, marks in _MARKS.items()), reverse=True)
    (most, name), (next_most, _) = counts[:2]
    return name if most >= max(_LEAST_MARKS, _SHARE * len(forms)) and most >= _AHEAD * max(next_most, 0.5) else None
