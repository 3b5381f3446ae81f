"""A scripted provider in OpenAI's format: what the server of the `provider` fixture answers and has been asked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Provider:
    """A scripted provider: each request takes the next answer, a status with a body or the text of a reply."""

    url: str = ""
    script: list[tuple[int, dict] | str | Callable[[dict], tuple[int, dict]]] = field(default_factory=list)
    asked: list[dict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: dict) -> tuple[int, dict]:
        self.asked.append(request)
        following = self.script.pop(0)
        if callable(following):
            return following(request)
        return (200, completion(following)) if isinstance(following, str) else following


def completion(text: str, *, finish: str = "stop", cached: int = 0) -> dict:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def failure(status: int, message: str = "no", code: str | None = None) -> tuple[int, dict]:
    return status, {"error": {"message": message, "type": "error", "code": code}}
