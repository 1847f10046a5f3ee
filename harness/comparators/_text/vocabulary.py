"""Closed lists of English: function words, everyday words, negators, number words, months, units."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


FUNCTION = word_set(
    """
    a an the this that these those some any each every all both either such i me my mine myself you your yours
    he him his himself she her hers herself it its itself we us our ours they them their theirs themselves who
    whom whose which what when where why how there here am is are was were be been being do does did done doing
    have has had having will would shall should can could may might must ought and or but nor so yet if then
    than as because since while although though unless until whether of in on at by for with about against
    between into through during before after above below to from up down out off over under again further within
    without along across among upon toward towards onto via per not no also just only very too more most much
    many few little own same other another one once ever even still however therefore thus hence well let s t ll
    re ve d m
    """
)

# Words of everyday prose that seldom are the answer to anything.
EVERYDAY = word_set(
    """
    able according account actual actually add again ago agree allow almost alone already always american amount
    answer anyone anything appear area around ask available away back base based become became becomes began
    begin believe best better big bring build call called came case cause center central certain change
    character city clear close come common commonly company complete consider consist contain continue country
    create created current currently date day days debut depend describe described despite detail develop
    developed different difficult direct early effect end enough especially establish event exact example famous
    far feature featured feel film final finally find first follow following form found full game gave general
    generally get give given go going good got great group grow happen hard held help high history hold home
    important include included includes including increase information instead introduce involve know known
    language large last late later latest lead least leave led left less level life like likely line list live
    local located location long look made main major make making man mean means meet member men mention model
    moment month move movie must name named national near nearly need never new next note notable now number
    occur occurred offer office official officially often old open order original originally part particular
    past people perform performed perhaps period person place play played player plays point popular portray
    portrayed position possible present previous primary probably process produce produced program provide
    provided public put quite rather reach read real reason receive received recent recently record refer region
    regular relate related release released remain report represent result right role run said say scene season
    second see seem serve series set several show shown side similar simple simply single small something
    sometimes song soon special specific specifically stand start started state states still stop story
    successful system take taken talk team television tell term text thing think third throughout time times
    title today together took top total true try tv turn two type typically understand united update use used
    using usually various version view want war was water way week went whole wide win within won word words
    work world write written wrote year years young
    """
)

NEGATORS = word_set(
    """
    not no never neither nor none nobody nothing nowhere without cannot hardly barely n't
    """
)

# Words that may stand for a negation in a rewording: "free of charge" is "no charge".
DENIALS = word_set(
    """
    free exempt waived lack lacks lacked lacking fail fails failed unable except excluding absent zero refuse refused
    deny denied unlike instead rarely seldom avoid avoids prevent prevents prevented unavailable impossible
    """
)

YES = word_set("yes yeah yep correct true indeed affirmative")
NO = word_set("no nope incorrect false")

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS: Mapping[str, float] = MappingProxyType(
    {word: float(value) for value, word in enumerate(f"{_UNITS} eighteen nineteen".split())}
    | {word: 10.0 * value for value, word in enumerate(_TENS.split(), start=2)}
    | {"dozen": 12.0, "half": 0.5}
)
SCALES: Mapping[str, float] = MappingProxyType(
    {
        "hundred": 1e2,
        "thousand": 1e3,
        "million": 1e6,
        "mn": 1e6,
        "billion": 1e9,
        "bn": 1e9,
        "trillion": 1e12,
        "quadrillion": 1e15,
        "lakh": 1e5,
        "crore": 1e7,
    }
)
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
    "twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
ORDINALS: Mapping[str, float] = MappingProxyType(
    {
        word: float(value)
        for value, word in enumerate(
            _ORDINALS.split(),
            start=1,
        )
    }
    | {"thirtieth": 30.0, "fortieth": 40.0, "fiftieth": 50.0}
)

_MONTHS = "january february march april may june july august september october november december"
MONTHS: Mapping[str, int] = MappingProxyType(
    {word: month for month, word in enumerate(_MONTHS.split(), start=1)}
    | {word[:3]: month for month, word in enumerate(_MONTHS.split(), start=1)}
    | {"sept": 9}
)

CURRENCIES: Mapping[str, str] = MappingProxyType(
    {
        "$": "usd",
        "€": "eur",
        "£": "gbp",
        "¥": "jpy",
        "₹": "inr",
        "usd": "usd",
        "dollar": "usd",
        "dollars": "usd",
        "eur": "eur",
        "euro": "eur",
        "euros": "eur",
        "gbp": "gbp",
        "pound": "gbp",
        "pounds": "gbp",
        "sterling": "gbp",
        "yen": "jpy",
        "jpy": "jpy",
        "rupee": "inr",
        "rupees": "inr",
        "cent": "usd_cent",
        "cents": "usd_cent",
    }
)

# unit as written -> (what is measured, how many of its base unit)
UNITS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        word: (what, factor)
        for what, words, factor in (
            ("length", "mm millimeter millimeters millimetre millimetres", 1e-3),
            ("length", "cm centimeter centimeters centimetre centimetres", 1e-2),
            ("length", "m meter meters metre metres", 1.0),
            ("length", "km kilometer kilometers kilometre kilometres", 1e3),
            ("length", "inch inches", 0.0254),
            ("length", "ft foot feet", 0.3048),
            ("length", "yard yards", 0.9144),
            ("length", "mi mile miles", 1609.344),
            ("mass", "mg milligram milligrams", 1e-6),
            ("mass", "g gram grams", 1e-3),
            ("mass", "kg kilogram kilograms kilo kilos", 1.0),
            ("mass", "lb lbs", 0.45359237),
            ("mass", "oz ounce ounces", 0.028349523125),
            ("mass", "ton tons tonne tonnes", 1e3),
            ("time", "ms millisecond milliseconds", 1e-3),
            ("time", "s sec secs second seconds", 1.0),
            ("time", "min mins minute minutes", 60.0),
            ("time", "h hr hrs hour hours", 3600.0),
            ("time", "day days", 86400.0),
            ("time", "week weeks", 604800.0),
            ("months", "month months", 1.0),
            ("months", "year years", 12.0),
            ("months", "decade decades", 120.0),
            ("months", "century centuries", 1200.0),
            ("data", "kb kilobyte kilobytes", 1e3),
            ("data", "mb megabyte megabytes", 1e6),
            ("data", "gb gigabyte gigabytes", 1e9),
            ("data", "tb terabyte terabytes", 1e12),
            ("volume", "ml milliliter milliliters millilitre millilitres", 1e-3),
            ("volume", "l liter liters litre litres", 1.0),
            ("volume", "gallon gallons", 3.785411784),
            ("percent", "% percent percentage pct", 1.0),
            ("celsius", "c celsius centigrade °c", 1.0),
            ("fahrenheit", "f fahrenheit °f", 1.0),
        )
        for word in words.split()
    }
)

# A full stop behind one of these ends no sentence.
ABBREVIATIONS = word_set(
    """
    mr mrs ms dr st jr sr prof gen col sgt capt lt rev hon vs etc eg ie approx ca no vol fig inc ltd co corp
    """
)
