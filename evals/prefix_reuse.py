"""Prefix reuse: what it saves that the embedded model does not read the unchanging start of a conversation again.

An episode of a few turns is asked twice: once by one model that keeps what it has computed, once by a model that is
emptied before every turn. The replies must be the same, letter for letter.

    python -m evals.prefix_reuse --model qwen2.5-coder-1.5b --out evals/results/prefix-reuse.json
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from skillagent.config import load
from skillagent.llm import weights
from skillagent.llm.local import LlamaCpp
from skillagent.schema import Json, Message, Role, Usage

TURNS = 4
SYSTEM = "You operate a page, one action at a time.\n" + "\n".join(
    f"- verb_{n}(ref): what verb number {n} does, when to use it, and what it does not do." for n in range(30)
)
SCHEMA: Json = {
    "type": "object",
    "properties": {"verb": {"enum": ["click", "fill", "wait"]}, "ref": {"enum": [str(n) for n in range(40)]}},
    "required": ["verb", "ref"],
}


def main() -> int:
    """Ask the same turns with and without reuse, and print what each cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--out", type=Path)
    wanted = parser.parse_args()
    settings = load()
    path = weights.path(wanted.model, settings.models_dir)
    if path is None:
        print(f"error: run `skillagent models pull {wanted.model}` first", file=sys.stderr)
        return 2
    model = LlamaCpp(path, name=wanted.model, threads=settings.threads, context=settings.context)
    kept, replies = episode(model, forget=False)
    fresh, same = episode(model, forget=True)
    result = {
        "command": f"python -m evals.prefix_reuse --model {wanted.model}",
        "model": wanted.model,
        "turns": TURNS,
        "with_reuse": kept.model_dump(),
        "without_reuse": fresh.model_dump(),
        "same_replies": replies == same,
        "times_faster": round(fresh.seconds / kept.seconds, 2),
    }
    print(json.dumps(result, indent=1))
    if wanted.out:
        wanted.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if replies == same else 1


def episode(model: LlamaCpp, *, forget: bool) -> tuple[Usage, list[str]]:
    """Ask every turn of the episode; with `forget`, of a model that holds nothing yet."""
    model.close()
    model.load()
    messages, replies, usage = [Message.system(SYSTEM)], [], Usage()
    for turn in range(TURNS):
        state = "\n".join(f'[{n}] button "number {n * 7 + turn}"' for n in range(40))
        messages.append(Message.user(f"<state>\n{state}\n</state>"))
        if forget:
            model.close()
            model.load()
        reply = model.reply(messages, role=Role.ACTOR, schema=SCHEMA, max_tokens=40)
        messages.append(Message(role="assistant", content=reply.text))
        replies.append(reply.text)
        usage += reply.usage
    return usage, replies


if __name__ == "__main__":
    raise SystemExit(main())
