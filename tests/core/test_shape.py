"""Tables against their shape; tests/test_config.py asks the same of real files."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.shape import check, nested
from harness.errors import ConfigError, UnknownName

SHAPE = {
    "type": "object",
    "properties": {
        "word": {"enum": ["one", "two"]},
        "name": {"type": "string", "minLength": 1, "pattern": "^[a-z]+$", "description": "small letters"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "flag": {"type": "boolean"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nam": "a"}, 'f.toml: unknown key "nam"'),
        ({"word": "three"}, 'unknown word "three". Known: one, two.'),
        ({"name": "A"}, 'key "name" must be small letters.'),
        ({"count": 0}, 'key "count" must be at least 1, not 0.'),
        ({"count": 10}, 'key "count" must be at most 9, not 10.'),
        ({"share": 0}, 'key "share" must be more than 0, not 0.'),
        ({"share": 1.0}, 'key "share" must be less than 1, not 1.0.'),
        ({"columns": []}, 'key "columns" needs at least 1 entries, not 0.'),
        ({"columns": ["a", 1]}, 'key "columns, entry 2" must be text, not a whole number.'),
        ({"columns": "a"}, 'key "columns" must be a list, not text.'),
        ({"flag": 1}, 'key "flag" must be true or false, not a whole number.'),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(change, said):
    with pytest.raises(ConfigError) as caught:
        check({"name": "a", **change}, SHAPE, place="f.toml")
    assert said in str(caught.value)


def test_a_value_that_does_not_fit_a_pattern_is_not_printed():
    with pytest.raises(ConfigError) as caught:
        check({"name": "Sesame"}, SHAPE, place="f.toml")
    assert "Sesame" not in str(caught.value)


def test_an_unknown_key_is_an_unknown_name_with_its_nearest():
    with pytest.raises(UnknownName) as caught:
        check({"name": "a", "cuont": 1}, SHAPE, place="f.toml")
    assert caught.value.nearest == "count"


VALUES = st.one_of(st.integers(-2, 12), st.floats(0, 2), st.booleans(), st.sampled_from(["one", "a", "A", ""]))
VALUES |= st.lists(VALUES, max_size=2)


@given(st.dictionaries(st.sampled_from([*SHAPE["properties"], "other"]), VALUES))
def test_it_agrees_with_a_real_validator(table):
    """jsonschema counts 1.0 as an integer; a TOML file that says 1.0 for a count is told so here."""
    accepted = jsonschema.Draft202012Validator(SHAPE).is_valid(table)
    if isinstance(table.get("count"), float):
        accepted = False
    try:
        check(table, SHAPE, place="f.toml")
    except ConfigError:
        assert not accepted
    else:
        assert accepted


@pytest.mark.parametrize(
    ("place", "key", "expected"),
    [("f", "a", "f, [a]"), ("f, [a]", "b", "f, [a.b]"), ("f, [a.b]", "c", "f, [a.b.c]"), ("f", "", "f")],
)
def test_places_nest(place, key, expected):
    assert nested(place, key) == expected
