"""Request: one question to a model as JSON, so that caches and cassettes agree on what "the same question" means.

The order of keys in a schema is part of the question: a grammar-bound model writes its properties in that order. The
role is not: it says who pays, and changes no answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from skillagent.schema import Json, Message


def request_json(
    model: str,
    messages: Sequence[Message],
    schema: Json | None,
    temperature: float,
    seed: int,
    max_tokens: int,
) -> Json:
    """Return everything that the reply depends on."""
    return {
        "model": model,
        "messages": [m.model_dump(mode="json") for m in messages],
        "schema": schema,
        "temperature": temperature,
        "seed": seed,
        "max_tokens": max_tokens,
    }


def key_of(request: Json) -> str:
    """Return the SHA-256 of a request in hexadecimal."""
    return hashlib.sha256(json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
