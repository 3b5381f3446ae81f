"""LiteLLM: every provider that litellm knows, behind the `LLM` port.

Whether a reply fits the schema is checked here, whatever the provider promises: where it can bind its output to a
schema it is asked to, else the schema goes into the prompt; a reply that does not fit is sent back once with the
reason. Retrying is done here too, and switched off in litellm and in the provider's own client, so that `retries`
means what it says.

litellm takes three seconds to import and is imported at the first question. Keys come as arguments or, where there are
none, from the variables that litellm reads itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from skillagent.errors import ConfigError, LLMUnavailable, PromptTooLong
from skillagent.llm import shape
from skillagent.schema import Json, Message, Reply, Role, Usage

log = logging.getLogger("skillagent.llm")

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STRETCH = 4  # models that think aloud first may use up a limit before they say anything
NO_CREDIT = ("insufficient_quota", "exceeded your current quota")  # a limit of rate in name only: waiting is no help

ASK_FOR_JSON = "Reply with one JSON object and nothing else. It must fit this JSON schema:\n"
ASK_AGAIN = "That reply cannot be used: {reason}. Reply again with only the JSON object."


class LiteLLM:
    """A model by its litellm name.

    Args:
        model: Provider and model, e.g. `openai/gpt-5-mini`, `anthropic/claude-sonnet-4-5`, `ollama/llama3.2`.
        base_url: Where the provider is, if not where it usually is; `openai/NAME` with this reaches any server that
            speaks OpenAI's format.
        api_key: Overrides the provider's variable. Not sent anywhere else.
        timeout_s: Seconds for one try.
        retries: Further tries after a fault that may pass: limits of rate, timeouts, faults of the server.
        priced: Refuse to go on after the first reply that has no known price, because a limit of cost must hold.
        pause: Waits that many seconds between tries.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 120.0,
        retries: int = 3,
        priced: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._model = model
        self._base_url = base_url
        self._endpoint = endpoint(model, base_url, api_key)
        self._timeout_s = timeout_s
        self._retries = retries
        self._priced = priced
        self._pause = pause
        self._binds: bool | None = None

    @property
    def name(self) -> str:
        """The litellm name."""
        return self._model

    @property
    def identity(self) -> str:
        """The name, with a digest of the address where that is not the usual one; addresses may hold passwords."""
        if self._base_url is None:
            return self._model
        return f"{self._model} at {hashlib.sha256(self._base_url.encode()).hexdigest()[:16]}"

    def reply(
        self,
        messages: Sequence[Message],
        *,
        role: Role,
        schema: Json | None = None,
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int = 512,
    ) -> Reply:
        """Answer the last message. What repairs and longer second tries cost is in the usage.

        Raises:
            ConfigError: The key, the model's name or the size of the prompt is wrong, or no price is known and it has
                to be; it would be so again.
            LLMUnavailable: No answer after the retries.
        """
        started = time.perf_counter()
        asking = _Asking(self, temperature=temperature, seed=seed, max_tokens=max_tokens)
        if schema is None:
            said = asking.ask(list(messages), None)
            return Reply(text=said.text, usage=asking.usage(started))
        text, data = asking.ask_for_object(list(messages), schema)
        return Reply(text=text, data=data, usage=asking.usage(started))

    def tokens(self, text: str) -> int | None:
        """Return how many tokens a text takes, as litellm counts for this model; None where it cannot."""
        try:
            with _no_warnings():
                return int(imported().token_counter(model=self._model, text=text))
        except Exception as e:  # not worth failing over: what is shown is then measured in characters
            log.debug("%s: no count of tokens: %s", self._model, e)
            return None

    def window(self) -> int | None:
        """Return how many tokens the model can read, by litellm's own list; None where that does not have it."""
        listed = imported().model_cost
        found = listed.get(self._model) or listed.get(self._model.partition("/")[2]) or {}
        tokens = found.get("max_input_tokens")
        return tokens if isinstance(tokens, int) else None

    def complete(self, **request: object) -> Any:  # noqa: ANN401 - litellm's response type is made at run time
        """Ask litellm, again after faults that may pass. For `_Asking`."""
        lib = imported()
        request |= {"model": self._model, "timeout": self._timeout_s, "max_retries": 0, "num_retries": 0}
        ask = functools.partial(lib.completion, **request, **self._endpoint, drop_params=True)
        return with_retries(ask, self._model, self._retries, self._pause)

    def used(self, response: Any) -> Usage:  # noqa: ANN401 - as above
        """Return what a response has used; where no price is known it counts as free. For `_Asking`.

        Raises:
            ConfigError: It has no price, and it must have one.
        """
        cost_usd = _cost_of(response, self._model)
        if cost_usd is None and self._priced:
            raise ConfigError(
                f"the price of {self._model} is not known, so a limit of cost cannot hold: "
                "limit tokens instead, with --token-limit or SKILLAGENT_TOKEN_LIMIT"
            )
        return _usage_of(response, cost_usd or 0.0)

    @property
    def binds(self) -> bool:
        """Whether the provider is thought to bind its output to a schema; learnt to be false from a refusal."""
        if self._binds is None:
            self._binds = bool(imported().supports_response_schema(self._model))
        return self._binds

    def cannot_bind(self) -> None:
        """Remember that this provider refused a schema."""
        log.info("%s takes no response schema; it goes into the prompt from now on", self._model)
        self._binds = False


class _Said(NamedTuple):
    text: str
    cut: bool


class _Asking:
    """The calls that one reply takes, and their sum."""

    def __init__(self, llm: LiteLLM, *, temperature: float, seed: int, max_tokens: int) -> None:
        self._llm = llm
        self._options = {"temperature": temperature, "seed": seed}
        self._max_tokens = max_tokens
        self._used = Usage()

    def usage(self, started: float) -> Usage:
        return self._used.model_copy(update={"seconds": time.perf_counter() - started})

    def ask_for_object(self, messages: list[Message], schema: Json) -> tuple[str, Json | None]:
        """Ask, and once more with the reason if the reply does not fit; None when the second one does not either."""
        said, reason = _Said("", cut=False), ""
        for _ in range(2):
            said = self.ask(messages, schema)
            if said.cut:  # the same words would be cut again
                self._max_tokens *= STRETCH
                said = self.ask(messages, schema)
            data, reason = _object_in(said.text, schema)
            if data is not None:
                return said.text, data
            repair = Message.user(ASK_AGAIN.format(reason=reason))
            messages = [*messages, Message(role="assistant", content=said.text or "(nothing)"), repair]
        log.warning("%s: no reply that fits the schema: %s", self._llm.name, reason)
        return said.text, None

    def ask(self, messages: list[Message], schema: Json | None) -> _Said:
        if schema is None or not self._llm.binds:
            return self._once(messages if schema is None else _with_schema(messages, schema), {})
        try:
            return self._once(messages, {"response_format": _response_format(schema)})
        except _SchemaRefused:
            self._llm.cannot_bind()
            return self._once(_with_schema(messages, schema), {})

    def _once(self, messages: list[Message], more: dict[str, object]) -> _Said:
        turns = [{"role": m.role, "content": m.content} for m in messages]
        response = self._llm.complete(messages=turns, max_tokens=self._max_tokens, **self._options, **more)
        self._used += self._llm.used(response)
        if not response.choices:
            return _Said("", cut=False)
        choice = response.choices[0]
        return _Said(choice.message.content or "", cut=choice.finish_reason == "length")


class _SchemaRefused(LLMUnavailable):
    """The provider does not take this `response_format`."""


def endpoint(model: str, base_url: str | None, api_key: str | None) -> dict[str, str]:
    """Return where and as whom to ask, as litellm's arguments.

    A server of one's own usually wants no key; then a word is sent in its place, never the key meant for OpenAI.
    """
    if base_url and not api_key and model.startswith("openai/"):
        api_key = "none"
    return {key: value for key, value in (("api_base", base_url), ("api_key", api_key)) if value}


@functools.cache
def imported() -> Any:  # noqa: ANN401 - a library without types
    """Import litellm, quiet, and without its own downloads (which hang in a closed network).

    This is the one variable that is set outside of `config`: litellm reads it while it is imported.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with _no_warnings():
        import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.disable_hf_tokenizer_download = True  # to count tokens it would fetch some models' tokenizers
    return litellm


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Keep litellm's warnings about its own classes from the user; where warnings are errors they would end a call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def with_retries(ask: Callable[[], Any], model: str, retries: int, pause: Callable[[float], None]) -> Any:  # noqa: ANN401
    """Call `ask` up to 1 + `retries` times while it fails in ways that may pass.

    Raises:
        ConfigError: What failed is the operator's to mend.
        LLMUnavailable: It failed for good, or too often.
    """
    import openai  # litellm's errors are kinds of these

    for attempt in range(retries + 1):
        try:
            with _no_warnings():
                return ask()
        except openai.OpenAIError as e:
            _raise_if_lasting(e, model)
            if attempt == retries:
                raise LLMUnavailable(f"{model}: {_brief(e)} (tried {retries + 1} times)") from e
            seconds = _pause_after(e, attempt)
            log.info("%s: %s; trying again in %.1f s", model, _brief(e), seconds)
            pause(seconds)
        except Exception as e:  # litellm also lets errors of its own code and of httpx through
            raise LLMUnavailable(f"{model}: {_brief(e)}") from e
    raise AssertionError("the loop returns or raises")


def _raise_if_lasting(e: Exception, model: str) -> None:
    """Raise what will not pass by waiting; return otherwise."""
    import openai

    lib = imported()
    if "Missing credentials" in str(e):
        raise ConfigError(f"{model} needs a key: set {_key_variable(model)}") from e
    if isinstance(e, openai.AuthenticationError | openai.PermissionDeniedError):
        raise ConfigError(f"{model} refuses the key: set {_key_variable(model)} to a valid one ({_brief(e)})") from e
    if isinstance(e, lib.PaymentRequiredError) or any(words in str(e) for words in NO_CREDIT):
        raise ConfigError(f"{model}: the account has no credit left ({_brief(e)})") from e
    if isinstance(e, openai.NotFoundError) or "LLM Provider NOT provided" in str(e):
        raise ConfigError(
            f"no model {model!r} there: write PROVIDER/MODEL, e.g. openai/gpt-5-mini ({_brief(e)})"
        ) from e
    if isinstance(e, lib.ContextWindowExceededError):
        raise PromptTooLong(f"{model}: the prompt does not fit its context") from e
    if isinstance(e, openai.BadRequestError | openai.UnprocessableEntityError):
        words = str(e).lower()
        kind = _SchemaRefused if "response_format" in words or "schema" in words else LLMUnavailable
        raise kind(f"{model}: {_brief(e)}") from e


def _key_variable(model: str) -> str:
    """The variable that litellm reads for this provider's key."""
    try:
        missing = imported().validate_environment(model)["missing_keys"]
    except Exception:  # not worth failing over: it is only for the message
        missing = []
    names = [name for name in missing if name.endswith("_KEY")]
    return names[0] if names else f"{model.partition('/')[0].upper().replace('-', '_')}_API_KEY"


def _pause_after(e: Exception, attempt: int) -> float:
    """Seconds to wait: what the server asks for, else doubling."""
    headers = getattr(e, "litellm_response_headers", None) or {}
    try:
        asked = float(headers.get("retry-after", ""))
    except ValueError:
        asked = FIRST_PAUSE_S * 2.0**attempt
    return min(max(asked, 0.0), LONGEST_PAUSE_S)


def _brief(e: Exception) -> str:
    words = " ".join(str(e).split()) or "no message"
    return f"{type(e).__name__}: {words[:300]}"


def _cost_of(response: Any, model: str) -> float | None:  # noqa: ANN401
    """Return US dollars, or None where no price is known for the model, nor for the one that the response names."""
    try:
        with _no_warnings():
            return float(imported().completion_cost(completion_response=response, model=model))
    except Exception as e:  # litellm raises a plain Exception for a model whose price it does not know
        log.debug("no price for %s: %s", model, e)
        return None


def _usage_of(response: Any, cost_usd: float) -> Usage:  # noqa: ANN401
    usage = getattr(response, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return Usage(
        calls=1,
        tokens_in=getattr(usage, "prompt_tokens", 0) or 0,
        tokens_cached=getattr(details, "cached_tokens", 0) or 0,
        tokens_out=getattr(usage, "completion_tokens", 0) or 0,
        cost_usd=cost_usd,
    )


def _with_schema(messages: list[Message], schema: Json) -> list[Message]:
    """Put the schema where the unchanging part is: at the end of the instructions."""
    words = ASK_FOR_JSON + json.dumps(schema, ensure_ascii=False)
    if messages and messages[0].role == "system":
        return [Message.system(f"{messages[0].content}\n\n{words}"), *messages[1:]]
    return [Message.system(words), *messages]


def _response_format(schema: Json) -> Json:
    return {
        "type": "json_schema",
        "json_schema": {"name": "reply", "schema": schema, "strict": _is_strict(schema)},
    }


def _is_strict(schema: Json) -> bool:
    """True when every object lists all its properties as required and forbids others, as strict mode demands."""
    if "properties" in schema:
        properties = cast(Json, schema["properties"])
        if schema.get("additionalProperties") is not False or set(cast(list[str], schema.get("required", []))) != set(
            properties
        ):
            return False
    if any(key in schema for key in ("minLength", "maxLength", "oneOf")):
        return False
    for value in schema.values():
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        parts = [value, *inner] if isinstance(value, dict) else inner
        if not all(_is_strict(part) for part in parts if isinstance(part, dict)):
            return False
    return True


def _object_in(text: str, schema: Json) -> tuple[Json | None, str]:
    """Return the first JSON object in `text` if it fits, else None and the reason."""
    start = text.find("{")
    if start < 0:
        return None, "there is no JSON object in it"
    try:
        data, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError as e:
        return None, f"it is not JSON: {e}"
    reason = shape.misfit(data, schema)
    return (None, reason) if reason else (data, "")
