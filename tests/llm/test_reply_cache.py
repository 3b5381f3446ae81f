"""The reply cache and cassettes: what counts as the same question, and what happens to files that are broken."""

import json
import logging

import pytest

from skillagent.errors import ConfigError, LLMUnavailable
from skillagent.llm.cache import Cached
from skillagent.llm.cassette import Player, Recorder
from skillagent.llm.litellm import LiteLLM
from skillagent.llm.local import LlamaCpp
from skillagent.schema import Message, Reply, Role, Usage

ASK = [Message.system("You act."), Message.user("What next? \u2028 é")]
AB = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
BA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "string"}}}


class Counting:
    """Answers with the number of the question."""

    def __init__(self, name="counting"):
        self.name = name
        self.calls = 0

    def reply(self, messages, *, role, schema=None, temperature=0.0, seed=0, max_tokens=512):
        self.calls += 1
        if messages[-1].content == "fail":
            raise LLMUnavailable("down")
        usage = Usage(calls=1, tokens_in=90, tokens_cached=10, tokens_out=5, cost_usd=0.1, seconds=3.0)
        return Reply(text=f"{self.calls} \u2028", data={"n": self.calls}, usage=usage)


def test_the_same_question_is_paid_for_once_even_by_another_process_and_role(tmp_path):
    first = Cached(Counting(), tmp_path).reply(ASK, role=Role.ACTOR)
    elsewhere = Counting()

    second = Cached(elsewhere, tmp_path).reply(ASK, role=Role.JUDGE)

    assert (second.text, second.data) == (first.text, first.data)
    assert elsewhere.calls == 0
    spent = second.usage
    assert (spent.calls, spent.cost_usd, spent.tokens_in, spent.tokens_cached, spent.tokens_out) == (0, 0.0, 90, 90, 5)
    assert spent.seconds < 3.0


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"messages": [Message.user("Else?")]}, id="messages"),
        pytest.param({"messages": [ASK[0], Message(role="assistant", content=ASK[1].content)]}, id="who said it"),
        pytest.param({"schema": BA}, id="order of properties"),
        pytest.param({"schema": None}, id="no schema"),
        pytest.param({"temperature": 0.5}, id="temperature"),
        pytest.param({"seed": 1}, id="seed"),
        pytest.param({"max_tokens": 9}, id="limit"),
    ],
)
def test_another_question_is_asked(tmp_path, other):
    inner = Counting()
    model = Cached(inner, tmp_path)
    question = {"messages": ASK, "schema": AB, "temperature": 0.0, "seed": 0, "max_tokens": 512}

    model.reply(role=Role.ACTOR, **question)
    model.reply(role=Role.ACTOR, **(question | other))

    assert inner.calls == 2


def test_another_model_is_asked(tmp_path):
    Cached(Counting("one"), tmp_path).reply(ASK, role=Role.ACTOR)
    other = Counting("two")

    Cached(other, tmp_path).reply(ASK, role=Role.ACTOR)

    assert other.calls == 1


def test_models_of_one_name_do_not_share_replies_where_their_identities_differ(tmp_path):
    class At(Counting):
        def __init__(self, place):
            super().__init__()
            self.identity = f"counting at {place}"

    Cached(At("one"), tmp_path).reply(ASK, role=Role.ACTOR)
    here, elsewhere = At("one"), At("two")

    for model in (here, elsewhere):
        Cached(model, tmp_path).reply(ASK, role=Role.ACTOR)

    assert (here.calls, elsewhere.calls) == (0, 1)


def test_a_provider_s_model_is_told_by_its_address_which_is_not_written_down():
    usual, one, two = (LiteLLM("openai/mine", base_url=at) for at in (None, "http://me:secret@one/v1", "http://two/v1"))

    assert usual.identity == "openai/mine"
    assert len({usual.identity, one.identity, two.identity}) == 3
    assert "secret" not in one.identity


def test_a_local_model_is_told_by_what_its_file_holds(tmp_path):
    file = tmp_path / "mine.gguf"

    def identity(content):
        file.write_bytes(content)
        return LlamaCpp(file, name="local/mine").identity

    assert identity(b"a") != identity(b"bc")
    assert identity(b"a").startswith("local/mine ")
    with pytest.raises(ConfigError, match="no model file"):
        _ = LlamaCpp(tmp_path / "none.gguf", name="x").identity


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"request": null}', '{"request": {}, "reply": {}}'])
def test_a_broken_entry_is_a_miss_and_is_mended(tmp_path, torn, caplog):
    inner = Counting()
    model = Cached(inner, tmp_path)
    model.reply(ASK, role=Role.ACTOR)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_text(torn)

    with caplog.at_level(logging.ERROR):
        replies = [model.reply(ASK, role=Role.ACTOR).text for _ in range(2)]

    assert inner.calls == 2
    assert replies[0] == replies[1]


def test_a_failure_is_not_kept_and_leaves_no_file(tmp_path):
    model = Cached(Counting(), tmp_path)

    with pytest.raises(LLMUnavailable):
        model.reply([Message.user("fail")], role=Role.ACTOR)

    assert list(tmp_path.rglob("*.*")) == []


def test_a_folder_that_cannot_be_written_costs_the_cache_not_the_reply(tmp_path, caplog):
    (tmp_path / "taken").write_text("a file, not a folder")

    reply = Cached(Counting(), tmp_path / "taken").reply(ASK, role=Role.ACTOR)

    assert reply.data == {"n": 1}
    assert "cannot" in caplog.text


def test_a_cassette_plays_back_what_was_recorded_in_order(tmp_path):
    tape = tmp_path / "tapes" / "one.jsonl"
    recorder = Recorder(Counting(), tape)
    said = [recorder.reply(ASK, role=Role.ACTOR), recorder.reply(ASK, role=Role.ACTOR)]
    said.append(recorder.reply(ASK, role=Role.ACTOR, schema=AB))
    player = Player(tape, name="counting")

    played = [player.reply(ASK, role=Role.ACTOR, schema=schema) for schema in (None, None, AB)]

    assert played == said
    assert player.left == 0
    assert len(tape.read_bytes().splitlines()) == 3


def test_a_question_that_was_not_recorded_fails_with_its_end(tmp_path):
    tape = tmp_path / "one.jsonl"
    Recorder(Counting(), tape).reply(ASK, role=Role.ACTOR)
    player = Player(tape, name="counting")

    with pytest.raises(ConfigError, match=r"never recorded; it ends in 'Who\?'"):
        player.reply([Message.user("Who?")], role=Role.ACTOR)
    player.reply(ASK, role=Role.ACTOR)
    with pytest.raises(ConfigError, match="more often than it was recorded"):
        player.reply(ASK, role=Role.ACTOR)


def test_what_is_no_cassette_is_refused_with_its_line(tmp_path):
    tape = tmp_path / "one.jsonl"
    tape.write_text(json.dumps({"request": {}}) + "\n")

    with pytest.raises(ConfigError, match=r"one\.jsonl:1: not a line of a cassette"):
        Player(tape, name="x").reply(ASK, role=Role.ACTOR)
    with pytest.raises(ConfigError, match="cannot read the cassette"):
        Player(tmp_path / "none.jsonl", name="x").reply(ASK, role=Role.ACTOR)
