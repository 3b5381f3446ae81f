"""Cascade: a cheap model drafts each action several times; a better one is asked where the drafts differ.

Source: in-context distillation with self-consistency cascades. The student is good enough where the examples in the
prompt settle what to do, and its own disagreement says where they do not. Whether it pays depends on how often it
agrees: `Usage.drafted` and `Usage.agreed` count that, and evaluations tell from which share on it saves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from pydantic import JsonValue

from skillagent.errors import PromptTooLong
from skillagent.llm.wrapped import close, identity_of
from skillagent.ports import LLM, tokens, window
from skillagent.schema import Json, Message, Reply, Role, Usage

_ROLE = re.compile(r"[^\W_]+(?= .*\[[^\[\]]+\]$)")  # of an element as a model names it: `button Login [3]`

HEAT = 0.7  # the first draft is as cold as it was asked for, the others are not


class Cascade:
    """A student that acts where it agrees with itself, and a teacher for the rest.

    Only actions are drafted: what is planned, judged and written down is the teacher's.

    Args:
        student: Is asked up to `samples` times a turn; it stops at the first draft that differs.
        teacher: Is asked where the drafts differ, or one has no form or no room.
        samples: At least 2: one draft cannot disagree.
    """

    def __init__(self, student: LLM, teacher: LLM, *, samples: int = 3) -> None:
        assert samples >= 2
        self._student, self._teacher, self._samples = student, teacher, samples

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self._student.name} then {self._teacher.name}"

    @property
    def identity(self) -> str:
        """What both models' replies are kept under, and how many drafts there are."""
        return f"{identity_of(self._student)} x{self._samples} then {identity_of(self._teacher)}"

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
        """Answer the last message; the usage is that of all who were asked.

        Raises:
            LLMUnavailable: One of them gave no answer.
            PromptTooLong: The messages do not fit the teacher.
            BudgetSpent: As the models raise it.
        """
        drafted = Usage()
        if role is Role.ACTOR and schema is not None:
            drafts: list[Reply] = []
            for number in range(self._samples):
                heat = HEAT if number and not temperature else temperature
                try:
                    draft = self._student.reply(
                        messages,
                        role=role,
                        schema=schema,
                        temperature=heat,
                        seed=seed + 7919 * number,
                        max_tokens=max_tokens,
                    )
                except PromptTooLong:
                    break
                drafts.append(draft)
                if draft.data is None or canonical(draft.data) != canonical(drafts[0].data):
                    break
            same = {canonical(draft.data) for draft in drafts}
            agreed = len(drafts) == self._samples and len(same) == 1 and drafts[0].data is not None
            spent = sum((draft.usage for draft in drafts), Usage())
            drafted = spent + Usage(
                drafted=1, agreed=int(agreed), draft_seconds=spent.seconds, draft_usd=spent.cost_usd
            )
            if agreed:
                return drafts[0].model_copy(update={"usage": drafted})
        reply = self._teacher.reply(
            messages, role=role, schema=schema, temperature=temperature, seed=seed, max_tokens=max_tokens
        )
        if drafted.drafted:
            drafted += Usage(deferred_seconds=reply.usage.seconds, deferred_usd=reply.usage.cost_usd)
        return reply.model_copy(update={"usage": reply.usage + drafted})

    def tokens(self, text: str) -> int:
        """Count as the teacher does."""
        return tokens(self._teacher, text)

    def window(self) -> int | None:
        """Return what both can read, or the teacher's window where the student's is not known."""
        both = window(self._student), window(self._teacher)
        return both[1] if None in both else min(one for one in both if one is not None)

    def close(self) -> None:
        """Let go of what both hold."""
        close(self._student)
        close(self._teacher)


def canonical(data: Json | None) -> str:
    """Return a form in which two replies that mean the same are equal.

    The order of keys, outer spaces, and the case of an element's role do not count.
    """
    return json.dumps({key: _plain(value, key) for key, value in (data or {}).items()}, sort_keys=True)


def _plain(value: JsonValue, key: str) -> JsonValue:
    match value:
        case str():
            text = value.strip()
            return _ROLE.sub(lambda role: role[0].lower(), text, count=1) if key.endswith("ref") else text
        case list():
            return [_plain(part, key) for part in value]
        case dict():
            return {name: _plain(part, name) for name, part in value.items()}
        case _:
            return value
