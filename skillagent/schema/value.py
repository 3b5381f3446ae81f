"""Value: what every noun is, a frozen model with a content digest."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict, JsonValue

Json = dict[str, JsonValue]


class Value(BaseModel):
    """A frozen value with a content digest."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    @property
    def digest(self) -> str:
        """Sixteen hex digits of the SHA-256 of the canonical JSON: equal contents, equal digest."""
        return digest_of(self.model_dump(mode="json"))


def digest_of(content: JsonValue) -> str:
    """Return sixteen hex digits of the SHA-256 of `content` as canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
