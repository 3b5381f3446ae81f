"""The junk test: noisy insights are offered to the pipeline by the hundred, and what gets in is counted.

    python -m evals.junk --count 1000 --tasks miniwob/click-option,miniwob/login-user --out evals/results/junk

Each candidate goes the way of every insight: lint, then its source task must be solved with it, then fresh ones must
be won. They are made without a model: advice that is wrong, that says nothing, that is about something else, and four
in ten nearly repeat an earlier one. The same command goes on where it was stopped. Measure the library before and
after with `skillagent eval SUITE --arms none,frozen`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typer

from skillagent import loop
from skillagent.build import open_agent
from skillagent.cli.learn import practice_tasks
from skillagent.cli.output import note
from skillagent.config import load
from skillagent.schema import Attempt, Cause, Condition, Decision, Edit, Insight, Lesson, PutInsight, digest_of

WHEN = (
    "there is a form", "a list is long", "several boxes can be ticked", "a menu is shown", "a dialog covers the page",
    "a date is asked for", "a name is given", "there are two buttons", "the goal names several things", "text is typed",
)  # fmt: skip
WRONG = (
    "press the last button first and fill in the rest afterwards", "tick every box that is shown",
    "type the whole goal into the first field", "press Cancel before anything else",
    "choose the first entry whatever the goal says", "press the same button twice to make sure",
    "wait three times before acting", "open every link from top to bottom", "clear all fields at the end",
    "read the goal backwards",
)  # fmt: skip
EMPTY = (
    "be careful and think step by step", "make sure that the result is correct", "follow the instructions exactly",
    "pay attention to details", "try again if it does not work", "check the page before acting",
)  # fmt: skip
ELSEWHERE = (
    "move the gripper above the handle before pulling", "declare integer variables for whole things",
    "preheat the oven to the right temperature", "sort the array before searching it",
    "normalise the vectors before comparing them",
)  # fmt: skip
REASONS = (
    "because that is quicker",
    "since pages change",
    "as the score depends on it",
    "to be safe",
    "it always helps",
)


def candidates(count: int, domain: str, seed: int = 0) -> Iterator[tuple[str, Insight]]:
    """Yield what kind of junk it is, and the insight."""
    dice, made = random.Random(seed), list[tuple[str, str]]()  # noqa: S311
    for _ in range(count):
        if made and dice.random() < 0.4:
            kind, (applies, explanation) = "copy", dice.choice(made)
            words = explanation.split()
            dice.shuffle(words)
            explanation = " ".join(words) if dice.random() < 0.5 else f"always {explanation}"
        else:
            kind, pool = dice.choices((("wrong", WRONG), ("empty", EMPTY), ("elsewhere", ELSEWHERE)), (6, 3, 1))[0]
            applies = f"When {' and '.join(dice.sample(WHEN, dice.randint(1, 2)))}"
            explanation = f"{dice.choice(pool)}, {dice.choice(REASONS)}"
            if dice.random() < 0.5:
                explanation += f"; and {dice.choice(pool)}"
            made.append((applies, explanation))
        yield (
            kind,
            Insight(
                id=f"junk-{digest_of([applies, explanation])}",
                taxonomy=f"{domain}/junk/{kind}",
                kind="pitfall",
                condition=Condition(applies=applies),
                explanation=explanation,
                origin="junk test",
            ),
        )


def offered(agent: loop.Agent, lessons: list[tuple[Lesson, list[Attempt]]], insight: Insight, turn: int) -> Decision:
    """Return what became of one candidate, offered for the tasks in turn."""
    lesson, tried = lessons[turn % len(lessons)]
    edit = Edit(changes=(PutInsight(insight=insight),), why="junk test", evidence=lesson.evidence)
    offering = replace(
        agent,
        reflect=lambda attempts, library: (lesson,),
        write=lambda lesson, library, alone: iter([edit]),
        diagnose=loop.undiagnosed,
    )
    (decision,) = loop.learn(offering, tried, agent.store.load())
    return decision


def stage(decision: Decision) -> str:
    """Return how far a candidate came."""
    if decision.accepted:
        return "accepted"
    if not decision.pairs and not decision.verified:
        return "lint: nearly a copy" if "nearly" in decision.reason else "lint: other"
    return "source task not solved" if not decision.pairs else "fresh tasks not won"


def main(
    tasks: str = "miniwob/click-option,miniwob/click-checkboxes,miniwob/login-user,miniwob/click-tab-2",
    count: int = 1000,
    seed: int = 0,
    model: str = "local/qwen2.5-coder-1.5b",
    out: Path = Path("runs/junk"),
) -> None:
    """Offer the candidates, keep a line for each, and write what became of them."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "offered.jsonl"
    done = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    settings = load(model=model, skills=out / "skills", memory=out / "memory_store")
    with open_agent(settings) as agent:
        lessons = []
        for task in practice_tasks(tasks):
            tried = [
                loop.attempt(agent, task.model_copy(update={"seed": number}), agent.store.load()) for number in range(3)
            ]
            failures = tuple(one for one in tried if one.verdict.success is False)
            if failures:
                lessons.append((Lesson(cause=Cause.KNOWLEDGE, summary=task.id, failures=failures), list(failures)))
        if not lessons:
            raise typer.BadParameter("every task is solved without help: there is nothing to offer advice for")
        domain = lessons[0][1][0].trajectory.task.env
        with file.open("a", encoding="utf-8") as lines:
            for turn, (kind, insight) in enumerate(candidates(count, domain, seed)):
                if turn < len(done):
                    continue
                decision = offered(agent, lessons, insight, turn)
                line: dict[str, object] = {
                    "kind": kind,
                    "id": insight.id,
                    "stage": stage(decision),
                    "reason": decision.reason,
                }
                line |= {"tokens": decision.usage.tokens_in + decision.usage.tokens_out}
                lines.write(json.dumps(line) + "\n")
                lines.flush()
                note(f"{turn + 1}/{count} {kind}: {stage(decision)}")
        left = len(agent.store.load().insights)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    kinds = dict.fromkeys(row["kind"] for row in rows)
    result = {
        "model": model,
        "tasks": tasks,
        "offered": len(rows),
        "in the library": left,
        "stages": dict(Counter(row["stage"] for row in rows)),
        "by kind": {kind: dict(Counter(row["stage"] for row in rows if row["kind"] == kind)) for kind in kinds},
        "tokens": sum(row["tokens"] for row in rows),
    }
    (out / "junk.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    note(json.dumps(result, indent=1))


if __name__ == "__main__":
    typer.run(main)
