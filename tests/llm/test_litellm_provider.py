"""The litellm adapter against a real HTTP server that speaks OpenAI's format, on loopback."""

import json

import pytest
from provider_script import completion, failure

from skillagent.errors import ConfigError, LLMUnavailable, PromptTooLong
from skillagent.llm.litellm import LiteLLM
from skillagent.schema import Message, Role
from skillagent.testing import check_llm

SCHEMA = {
    "type": "object",
    "properties": {"verb": {"type": "string", "enum": ["click", "fill"]}},
    "required": ["verb"],
    "additionalProperties": False,
}
ASK = [Message.system("You act."), Message.user("What next?")]


def model_at(provider, pauses=None, **options):
    pause = (pauses if pauses is not None else []).append
    options = {"timeout_s": 10.0, "retries": 2} | options
    return LiteLLM("openai/gpt-4o-mini", base_url=provider.url, api_key="k", pause=pause, **options)


def test_a_plain_reply_carries_text_tokens_and_money(provider):
    provider.script = [(200, completion("Hello.", cached=40))]

    reply = model_at(provider).reply(ASK, role=Role.ACTOR, max_tokens=7, seed=3)

    assert reply.text == "Hello."
    assert (reply.usage.calls, reply.usage.tokens_in, reply.usage.tokens_cached, reply.usage.tokens_out) == (
        1,
        100,
        40,
        10,
    )
    assert reply.usage.cost_usd > 0
    assert provider.asked[0]["max_tokens"] == 7
    assert provider.asked[0]["seed"] == 3
    assert provider.asked[0]["messages"] == [
        {"role": "system", "content": "You act."},
        {"role": "user", "content": "What next?"},
    ]


def test_what_it_reads_is_counted_and_looked_up_without_asking_anybody(provider):
    known, own = model_at(provider), LiteLLM("openai/mine", base_url=provider.url)
    text = "Press <|endoftext|> now. " * 100
    assert 500 <= known.tokens(text) <= 1_300, "by its tokenizer: far fewer than a token for each two characters"
    assert known.tokens("hello") == own.tokens("hello") == LiteLLM("ollama/llama-3").tokens("hello") == 1
    assert (known.window(), own.window(), LiteLLM("gpt-4o-mini").window()) == (128_000, None, 128_000)
    assert provider.asked == []


def unknown(text):
    """A reply of a model that nobody has a price for."""
    return 200, completion(text) | {"model": "mine"}


def test_where_a_limit_of_cost_must_hold_a_model_without_a_known_price_is_refused(provider):
    provider.script = [unknown("Hello."), unknown("Hello."), "Hello."]
    options = {"base_url": provider.url, "retries": 0}

    with pytest.raises(ConfigError, match=r"price of openai/mine is not known.*--token-limit"):
        LiteLLM("openai/mine", priced=True, **options).reply(ASK, role=Role.ACTOR)

    assert LiteLLM("openai/mine", **options).reply(ASK, role=Role.ACTOR).usage.cost_usd == 0
    assert model_at(provider, priced=True).reply(ASK, role=Role.ACTOR).usage.cost_usd > 0


def test_a_provider_that_binds_its_output_is_given_the_schema_and_not_told_it_twice(provider):
    provider.script = ['{"verb": "click"}']

    reply = model_at(provider).reply(ASK, role=Role.ACTOR, schema=SCHEMA)

    assert reply.data == {"verb": "click"}
    assert provider.asked[0]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert provider.asked[0]["response_format"]["json_schema"]["strict"] is True
    assert len(provider.asked[0]["messages"]) == 2


def test_a_model_that_cannot_bind_gets_the_schema_at_the_end_of_its_instructions(provider):
    provider.script = ['Sure!\n```json\n{"verb": "fill"}\n```']
    model = LiteLLM("openai/some-local-model", base_url=provider.url)

    reply = model.reply(ASK, role=Role.ACTOR, schema=SCHEMA)

    assert reply.data == {"verb": "fill"}
    assert "response_format" not in provider.asked[0]
    assert provider.asked[0]["messages"][0]["content"].startswith("You act.\n")
    assert json.dumps(SCHEMA) in provider.asked[0]["messages"][0]["content"]


def test_a_server_that_refuses_a_response_schema_is_asked_in_words_from_then_on(provider):
    provider.script = [failure(400, "response_format is not supported"), '{"verb": "click"}', '{"verb": "fill"}']
    model = model_at(provider)

    first, second = (model.reply(ASK, role=Role.ACTOR, schema=SCHEMA) for _ in range(2))

    assert (first.data, second.data) == ({"verb": "click"}, {"verb": "fill"})
    assert ["response_format" in request for request in provider.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param("I would click.", "no JSON object", id="no JSON at all"),
        pytest.param('{"verb": "click', "not JSON", id="broken JSON"),
        pytest.param('{"verb": "hover"}', 'must be one of ["click", "fill"]', id="wrong value"),
        pytest.param('{"do": "click"}', "lacks the property 'verb'", id="wrong schema"),
    ],
)
def test_a_reply_that_does_not_fit_is_sent_back_once_with_the_reason(provider, bad, reason):
    provider.script = [bad, '{"verb": "click"}']

    reply = model_at(provider).reply(ASK, role=Role.ACTOR, schema=SCHEMA)

    assert reply.data == {"verb": "click"}
    assert reply.usage.calls == 2, "both calls are paid for"
    assert reply.usage.tokens_in == 200
    assert provider.asked[1]["messages"][-2] == {"role": "assistant", "content": bad}
    assert reason in provider.asked[1]["messages"][-1]["content"]


def test_a_second_reply_that_does_not_fit_is_told_as_it_is_and_paid_for(provider):
    provider.script = ['{"verb": "hover"}', '{"verb": "leap"}']

    reply = model_at(provider).reply(ASK, role=Role.ACTOR, schema=SCHEMA)

    assert (reply.data, reply.text) == (None, '{"verb": "leap"}')
    assert reply.usage.calls == 2
    assert provider.script == []


def test_a_reply_cut_off_by_its_limit_is_asked_for_again_with_more(provider):
    provider.script = [(200, completion('{"verb', finish="length")), '{"verb": "click"}']

    reply = model_at(provider).reply(ASK, role=Role.ACTOR, schema=SCHEMA, max_tokens=16)

    assert reply.data == {"verb": "click"}
    assert [request["max_tokens"] for request in provider.asked] == [16, 64]


def test_a_limit_of_rate_is_waited_out_for_as_long_as_the_server_says(provider):
    status, body = failure(429, "slow down")
    provider.script = [(status, body | {"headers": {"retry-after": "7"}}), failure(429), "Hello."]
    pauses = []

    reply = model_at(provider, pauses).reply(ASK, role=Role.ACTOR)

    assert reply.text == "Hello."
    assert pauses == [7.0, 2.0], "what the server asks for, else doubling"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_keeps_failing_is_given_up_after_the_retries(provider, status):
    provider.script = [failure(status)] * 3

    with pytest.raises(LLMUnavailable, match="tried 3 times"):
        model_at(provider).reply(ASK, role=Role.ACTOR)

    assert len(provider.asked) == 3


def test_a_server_that_says_nothing_times_out(provider):
    provider.script = [(0, {})]

    with pytest.raises(LLMUnavailable, match="Timeout"):
        model_at(provider, timeout_s=0.3, retries=0).reply(ASK, role=Role.ACTOR)


def test_nobody_listening_is_unavailable():
    model = LiteLLM("openai/gpt-4o-mini", base_url="http://127.0.0.1:9/v1", api_key="k", retries=0)

    with pytest.raises(LLMUnavailable):
        model.reply(ASK, role=Role.ACTOR)


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        pytest.param(failure(401, "bad key"), "OPENAI_API_KEY", id="a key that is refused"),
        pytest.param(failure(404, "no such model"), "PROVIDER/MODEL", id="a model that is not there"),
        pytest.param(failure(429, "You exceeded your current quota"), "credit", id="an empty account"),
    ],
)
def test_what_waiting_does_not_mend_is_the_operators_and_is_asked_once(provider, answer, remedy):
    provider.script = [answer]

    with pytest.raises(ConfigError, match=remedy):
        model_at(provider).reply(ASK, role=Role.ACTOR)

    assert len(provider.asked) == 1


def test_a_key_that_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
        LiteLLM("openai/gpt-5-mini").reply(ASK, role=Role.ACTOR)


def test_a_prompt_that_is_too_long_is_told_apart(provider):
    provider.script = [failure(400, "This model's maximum context length is 10 tokens", "context_length_exceeded")]
    with pytest.raises(PromptTooLong):
        model_at(provider).reply(ASK, role=Role.ACTOR)
    assert len(provider.asked) == 1


def test_a_provider_nobody_knows_is_the_operators():
    with pytest.raises(ConfigError, match="PROVIDER/MODEL"):
        LiteLLM("no-such-thing").reply(ASK, role=Role.ACTOR)


def test_a_server_of_ones_own_is_not_sent_a_key_that_was_not_given_for_it(provider):
    provider.script = ["Hello."]

    LiteLLM("openai/mine", base_url=provider.url).reply(ASK, role=Role.ACTOR)

    assert provider.keys == ["Bearer none"]


def test_it_passes_the_public_check(provider):
    provider.script = ["Hello."] + ['{"colour": "red", "count": 3}'] * 2

    check_llm(model_at(provider))
