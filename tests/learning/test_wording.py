"""Words of a model are made fit to be written down: whole sentences, each once."""

import pytest

from skillagent.learning.wording import single, whole_sentences


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        pytest.param("Open it. Then press", "Open it. Then press", id="under the limit all of it"),
        pytest.param("Open it. Then press Sa", "Open it.", id="a last one that is cut off is left out"),
        pytest.param("Open it! Then press Sav", "Open it!", id="whatever mark the one before ends with"),
        pytest.param("Open it. Then press it.", "Open it. Then press it.", id="what ends at the limit is whole"),
        pytest.param("Open it, e.g. by its knob", "Open it, e.g. by its knob", id="an abbreviation ends nothing"),
        pytest.param("Open it. Press it, e.g.", "Open it.", id="nor does it at the limit"),
        pytest.param("Open it; then press Save", "Open it; then press Save", id="there is no other"),
    ],
)
def test_of_a_text_that_reached_its_limit_whole_sentences_are_kept(text, whole):
    assert whole_sentences(text, 20) == whole


def test_what_stands_behind_an_abbreviation_is_no_sentence_that_may_be_left_out():
    text = "Open a box, e.g. the red one. Shut a bag, e.g. the red one."
    assert single(text) == text
