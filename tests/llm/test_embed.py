"""Embedders: the real offline one, and the others against scripted parts."""

import subprocess
import sys

import numpy as np
import pytest

from skillagent.errors import ConfigError, LLMUnavailable
from skillagent.llm.embed import LiteLLMEmbedder, MiniLM, SentenceTransformers

# Cosines of the original float model (sentence-transformers, all-MiniLM-L6-v2).
PAIRS = [
    ("click the login button", "press sign in", "order a pizza with cheese"),
    ("Select Tuesday in the date picker", "choose a day from the calendar", "the cat sat on the mat"),
]


@pytest.fixture(scope="module")
def minilm(minilm_files):
    return MiniLM(*minilm_files)


def test_rows_are_unit_vectors_in_the_order_of_the_texts(minilm):
    texts = ["one", "two words", "", "Größe 20 €", "word " * 2000]

    rows = minilm.embed(texts)

    assert rows.shape == (5, 384)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert minilm.embed([]).shape == (0, 384)


def test_a_text_has_the_same_vector_bit_for_bit_in_any_company(minilm):
    texts = ["one", "a rather longer text about the login page of a shop", "one", "word " * 300]

    together = minilm.embed(texts)

    for row, text in zip(together, texts, strict=True):
        assert np.array_equal(row, minilm.embed([text])[0])
    assert np.array_equal(together[0], together[2])


@pytest.mark.parametrize(("text", "near", "far"), PAIRS)
def test_what_means_the_same_is_nearer(minilm, text, near, far):
    rows = minilm.embed([text, near, far])

    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3


def test_only_the_first_256_tokens_are_read(minilm):
    start = "shop " * 400

    assert np.array_equal(minilm.embed([start])[0], minilm.embed([start + "tail"])[0])


def test_the_name_changes_with_the_weights(minilm, tmp_path):
    other = tmp_path / "model.onnx"
    other.write_bytes(b"other weights")

    assert minilm.name == "minilm-int8/8199be6f"
    assert MiniLM(other, other).name != minilm.name


def test_missing_or_broken_files_are_the_operators(tmp_path):
    broken = tmp_path / "model.onnx"
    with pytest.raises(ConfigError, match="models pull minilm-int8"):
        MiniLM(broken, broken).embed(["a"])
    broken.write_bytes(b"no")
    with pytest.raises(ConfigError, match="cannot load"):
        MiniLM(broken, broken).embed(["a"])


class Lengths:
    """An encoder whose first coordinate is the length of the text."""

    def encode(self, sentences, *, batch_size, show_progress_bar, convert_to_numpy):
        assert not show_progress_bar
        return np.array([[len(s), 1.0] for s in sentences], dtype=np.float32)


def test_any_sentence_transformer_gives_unit_rows():
    embedder = SentenceTransformers("some/model", load=lambda name: Lengths())

    assert embedder.name == "sentence-transformers/some/model"
    assert embedder.embed([]).shape == (0, 2)
    assert np.allclose(embedder.embed(["", "abc"]), [[0, 1], [3 / 10**0.5, 1 / 10**0.5]])


MISSING = """
import sys
sys.modules["sentence_transformers"] = None
from skillagent.errors import ConfigError
from skillagent.llm.embed import SentenceTransformers
try:
    SentenceTransformers("x").embed(["a"])
except ConfigError as e:
    print(e)
"""


def test_without_the_library_the_message_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)

    assert "pip install 'skillagent[train]'" in done.stdout


def vectors(request):
    """Answers out of order, with the length of each text as the first coordinate."""
    entries = [{"object": "embedding", "index": i, "embedding": [len(t), 1.0]} for i, t in enumerate(request["input"])]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return 200, {"object": "list", "data": entries[::-1], "model": "m", "usage": usage}


def test_a_providers_vectors_come_back_in_order_and_in_batches(provider):
    provider.script = [vectors, vectors]
    embedder = LiteLLMEmbedder("openai/text-embedding-3-small", base_url=provider.url, api_key="k")

    rows = embedder.embed(["a" * n for n in range(70)])

    assert rows.shape == (70, 2)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0)
    assert np.all(np.diff(rows[1:, 0]) > 0)
    assert [len(request["input"]) for request in provider.asked] == [64, 6]
    assert "" not in provider.asked[0]["input"], "providers refuse empty texts"


def test_too_few_vectors_are_not_passed_on(provider):
    provider.script = [lambda request: vectors(request | {"input": request["input"][:1]})]

    with pytest.raises(LLMUnavailable, match="2 texts, but 1 vectors"):
        LiteLLMEmbedder("openai/text-embedding-3-small", base_url=provider.url, api_key="k").embed(["a", "b"])
