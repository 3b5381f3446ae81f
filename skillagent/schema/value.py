"""Value: what every noun is, a frozen model with a content digest."""

from __future__ import annotations

import hashlib
import json
import re

from pydantic import BaseModel, ConfigDict, JsonValue

Json = dict[str, JsonValue]

_HALF = re.compile("[\ud800-\udfff]")


class Value(BaseModel):
    """A frozen value with a content digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    @property
    def digest(self) -> str:
        """Sixteen hex digits of the SHA-256 of the canonical JSON: equal contents, equal digest."""
        return digest_of(self.model_dump(mode="json"))


def digest_of(content: JsonValue) -> str:
    """Return sixteen hex digits of the SHA-256 of `content` as canonical JSON; half a surrogate pair is no obstacle."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def content_id(text: str) -> str:
    """Return the name that what is worked out of a text is kept under: 32 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def mended(content: JsonValue) -> JsonValue:
    """Return the content with U+FFFD for each half of a surrogate pair, which models write and UTF-8 cannot hold."""
    match content:
        case str():
            return _HALF.sub("\ufffd", content)
        case list():
            return [mended(part) for part in content]
        case dict():
            return {_HALF.sub("\ufffd", key): mended(value) for key, value in content.items()}
        case _:
            return content
