"""Distil: several demonstrations as one short block of rules, where there is no room to show them.

Source: condensing demonstrations for the reader's budget (MEND), in words. Where there is room, nothing is written: the
demonstrations themselves say more. A block is written once for a set of demonstrations and goes by an id of its own, so
that the ledger can tell what it was worth; one that hurts is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from skillagent.acting.history import fit
from skillagent.errors import PromptTooLong
from skillagent.library import Library
from skillagent.ports import LLM
from skillagent.prompts import fence, render
from skillagent.schema import Demonstration, Message, Recalled, Role, digest_of

FEWEST = 2  # demonstrations that a block is made of: one is shown as it is
_READ = 1_200  # characters of each demonstration
_STATE = 300  # characters of each of its states

Near = Callable[[str, Library], Sequence[Demonstration]]


class Distiller:
    """Writes blocks of rules, each once.

    Args:
        near: The demonstrations that are nearest a goal.
        characters: The longest block.
        harmful: The ids of blocks that must not be shown, as the ledger has it now.
    """

    def __init__(self, near: Near, *, characters: int, harmful: Callable[[], Collection[str]]) -> None:
        self._near, self._characters, self._harmful = near, characters, harmful
        self._known: dict[str, str] = {}

    def __call__(self, goal: str, library: Library, llm: LLM, room: int) -> Recalled:
        """Return the block for a goal and its id; without words, the ids of demonstrations that fit into the room.

        Nothing where too few demonstrations are near, where the block was seen to hurt, or where the model that is to
        write it has no room for them. The room is that of a conversation, in characters.
        """
        demos = self._near(goal, library)
        if len(demos) >= FEWEST and fit(demos, room):
            return Recalled(of=tuple(demo.id for demo in demos))
        key = "rules-" + digest_of([*sorted(demo.digest for demo in demos)])[:8]
        if len(demos) < FEWEST or key in self._harmful():
            return Recalled()
        if key not in self._known:
            self._known[key] = self._written(demos, llm)
        if not self._known[key]:
            return Recalled()
        return Recalled(text=f"What such tasks have in common:\n{fence('rules', self._known[key])}", of=(key,))

    def _written(self, demos: Sequence[Demonstration], llm: LLM) -> str:
        shown = "\n\n".join(fence("worked", _told(demo)[:_READ]) for demo in demos)
        try:
            reply = llm.reply([Message.user(render("distil", shown=shown))], role=Role.REFLECTOR, max_tokens=300)
        except PromptTooLong:
            return ""
        lines = [line.strip() for line in reply.text.splitlines() if line.strip()]
        kept = [line for n, line in enumerate(lines) if len("\n".join(lines[: n + 1])) <= self._characters]
        return "\n".join(kept)


def _told(demo: Demonstration) -> str:
    steps = [f"{step.observation[:_STATE]}\n{step.action}" for step in demo.steps]
    return "\n".join([f"Task: {demo.goal}", *steps])
