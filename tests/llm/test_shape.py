"""Shape: the check of replies as a table, and grammars against llama.cpp's own reading of them in test_local_model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skillagent.errors import ConfigError
from skillagent.llm import shape

ACTION = {
    "type": "object",
    "properties": {
        "verb": {"const": "fill"},
        "ref": {"enum": ["e1", "e2"]},
        "text": {"type": "string", "maxLength": 3},
    },
    "required": ["verb", "ref"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("data", "schema", "reason"),
    [
        pytest.param({"verb": "fill", "ref": "e1"}, ACTION, None, id="fits"),
        pytest.param({"verb": "fill"}, ACTION, "the reply lacks the property 'ref'", id="a property is missing"),
        pytest.param({"verb": "fill", "ref": "e3"}, ACTION, "ref must be one of", id="not in the enum"),
        pytest.param({"verb": "x", "ref": "e1"}, ACTION, 'verb must be "fill", not "x"', id="not the constant"),
        pytest.param({"verb": "fill", "ref": "e1", "z": 1}, ACTION, "'z' that is not allowed", id="one too many"),
        pytest.param({"verb": "fill", "ref": "e1", "text": "long"}, ACTION, "length of text", id="too long"),
        pytest.param(True, {"type": "integer"}, "must be of type integer", id="true is no integer"),
        pytest.param(1, {"const": True}, "must be true", id="one is not true"),
        pytest.param(2, {"type": "number", "minimum": 0, "maximum": 1}, "at most 1", id="out of bounds"),
        pytest.param(None, {"type": ["string", "null"]}, None, id="one of two types"),
        pytest.param([1, "a"], {"type": "array", "items": {"type": "integer"}}, "[1] must be of type", id="an item"),
        pytest.param([], {"type": "array", "minItems": 1}, "number of items", id="too few items"),
        pytest.param(3, {"anyOf": [{"type": "string"}, ACTION]}, "fits none of the 2 forms", id="none of the forms"),
        pytest.param("a", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, None, id="one of the forms"),
        pytest.param({}, {"anyOf": []}, "fits none of the 0 forms allowed", id="no form at all"),
        pytest.param(
            {"next": {"next": {}}},
            {"$ref": "#/$defs/N", "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}}},
            None,
            id="a schema that contains itself",
        ),
    ],
)
def test_misfit(data, schema, reason):
    found = shape.misfit(data, schema)

    assert found is None if reason is None else found is not None and reason in found


@pytest.mark.parametrize("key", ["pattern", "allOf", "not"])
def test_a_schema_that_could_only_be_half_kept_is_refused(key):
    with pytest.raises(ConfigError, match=key):
        shape.grammar({"type": "object", "properties": {"a": {"type": "string", key: []}}})


def test_a_reference_to_nothing_is_refused():
    with pytest.raises(ConfigError, match="names nothing"):
        shape.grammar({"$ref": "#/$defs/Gone"})


def test_a_grammar_has_no_white_space_between_tokens_and_keeps_the_order_of_the_schema():
    rules = dict(line.split(" ::= ") for line in shape.grammar(ACTION).splitlines())

    assert rules[rules["root"]] == r'"{" "\"verb\"" ":" r0 "," "\"ref\"" ":" r1 r3 "}"'
    assert rules["r3"] == r'("," "\"text\"" ":" r2)?', "what is not required may be left out, comma and all"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_a_value_fits_its_own_constant_and_no_schema_of_another_type(value):
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", type(None): "null"}

    assert shape.misfit(value, {"const": value}) is None
    assert [k for k in kinds.values() if shape.misfit(value, {"type": k}) is None] == [kinds[type(value)]]
