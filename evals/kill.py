"""Kill test of the store: a process that commits in a loop is killed with SIGKILL at random moments, again and again.

After every kill the store is opened as any process would open it, and what is found is held against what the child was
told: no acknowledged commit may be lost, no skill may be torn (its parts come from one commit), and the files must hold
what the ledger says. All kills work on one store, so that damage would add up. What this does not show: a power cut,
where the disk may lose what was not fsynced; a SIGKILL keeps the system's page cache.

    python evals/kill.py --kills 200 --out evals/results/kill.json
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Change,
    Condition,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Entry,
    Event,
    Insight,
    KeyStep,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Remarked,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
    Task,
)
from skillagent.store import skillfile
from skillagent.store.disk import DiskStore
from skillagent.store.ledger import changes, rollback

_MOST = 8
_ASSET = b"\x89PNG\x00 not a part of any skill"


def open_store(root: Path) -> DiskStore:
    """Return the store under test."""
    return DiskStore(root / "skills", root / "memory")


def torture(root: Path, *, kills: int, seconds: float, seed: int) -> dict[str, int | float]:
    """Kill a committing child up to `kills` times or for `seconds`, check after each, and return counts.

    `lost`, `torn` and `disagreements` must be 0. The other counts say what the kills hit: how many left a commit
    pending, a torn line in the ledger or a half-made swap of a folder.
    """
    rng, found, start = random.Random(seed), Counter[str](), time.monotonic()  # noqa: S311
    acknowledged: set[str] = set()
    asset = root / "skills" / "skill-0" / "assets" / "picture.png"
    asset.parent.mkdir(parents=True)
    asset.write_bytes(_ASSET)
    while found["kills"] < kills and time.monotonic() - start < seconds:
        acknowledged |= _kill_one(root, run=found["kills"], delay_s=rng.uniform(0.0, 0.2), seed=rng.randrange(2**32))
        found["kills"] += 1
        found.update(_wreckage(root))
        found.update(_check(root, acknowledged, asset))
    return {
        **{key: found[key] for key in ("kills", "lost", "torn", "disagreements")},
        "acknowledged": len(acknowledged),
        **{key: found[key] for key in ("left_pending", "left_torn_line", "left_half_swap")},
        "seconds": round(time.monotonic() - start, 1),
    }


def _kill_one(root: Path, *, run: int, delay_s: float, seed: int) -> set[str]:
    """Let a child commit for a while, kill it, and return the commits that it was told had been made."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        logging.disable()
        try:
            _commit_for_ever(root, run, random.Random(seed), writing)  # noqa: S311
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor, not a path
        time.sleep(delay_s)
        os.kill(child, signal.SIGKILL)
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the child ended by itself (status {status})"
    return {line.decode() for line in told.split(b"\n")[:-1]}


def _commit_for_ever(root: Path, run: int, rng: random.Random, writing: int) -> None:
    store = open_store(root)
    library = store.load()
    for i in range(1_000_000):
        nonce = f"{run}.{i}"
        library = store.commit(_entry(store, library, rng, nonce))
        os.write(writing, f"{nonce}\n".encode())


def _entry(store: DiskStore, library: Library, rng: random.Random, nonce: str) -> Entry:
    """Return something to commit; `nonce` is found again in the ledger and in all that the commit writes."""
    match rng.randrange(8):
        case 0:
            task = Task(env="kill", name="test")
            return Attempted(attempt=nonce, task=task, goal="x" * rng.randrange(20_000))
        case 1:
            edit = Edit(changes=(PutSkill(skill=_skill("refused", 1, nonce, rng)),), why=nonce)
            return Decided(decision=Decision(edit=edit, accepted=False, reason="no lift"))
        case 2 if library.skills:
            return rollback(library, store.events(), rng.choice(sorted(library.skills)), why=nonce)
        case _:
            edit = Edit(changes=tuple(_changes(library, rng, nonce)), why=nonce)
            return Decided(decision=Decision(edit=edit, accepted=True, reason="lift"))


def _changes(library: Library, rng: random.Random, nonce: str) -> Iterator[Change]:
    name = f"skill-{rng.randrange(_MOST)}"
    old = library.skills.get(name)
    if old is not None and rng.random() < 0.2:
        yield RetireSkill(name=name, base=old.version)
    else:
        version = old.version if old else 0
        yield PutSkill(skill=_skill(name, version + 1, nonce, rng), base=version or None)
    key = f"insight-{rng.randrange(_MOST)}"
    if rng.random() < 0.5:
        known = library.insights.get(key)
        insight = Insight(
            id=key, taxonomy="a/b/c", kind="pitfall", condition=Condition(applies=nonce), explanation="because"
        )
        yield (
            RetireInsight(id=key)
            if known and rng.random() < 0.3
            else PutInsight(insight=insight, base=known.digest if known else None)
        )
    if rng.random() < 0.3:
        steps = (KeyStep(observation="o" * rng.randrange(5_000), action="click"),)
        gone = rng.random() < 0.3 and key in library.demonstrations
        demonstration = Demonstration(id=key, domain="kill", goal=nonce, steps=steps)
        yield RetireDemonstration(id=key) if gone else PutDemonstration(demonstration=demonstration)


def _skill(name: str, version: int, nonce: str, rng: random.Random) -> Skill:
    """Return a skill of several files that all carry the nonce."""
    files = {f"references/{i}.md": f"{nonce}\n" + "y" * rng.randrange(10_000) for i in range(rng.randrange(3))}
    files["scripts/program.yaml"] = f"{nonce}\n"
    return Skill(
        name=name, description=f"Made by {nonce}", body=f"{nonce}\n", version=version, goals=(nonce,), files=files
    )


# ── What is found after a kill ───────────────────────────────────────────────────────────────────────────────────────


def _wreckage(root: Path) -> dict[str, int]:
    """Count what the kill left, before anything mends it."""
    ledger = root / "memory" / "ledger.jsonl"
    content = ledger.read_bytes() if ledger.exists() else b"\n"
    return {
        "left_pending": int((root / "memory" / "pending.json").exists()),
        "left_torn_line": int(not content.endswith(b"\n")),
        "left_half_swap": int(any((root / "skills").glob(".*"))),
    }


def _check(root: Path, acknowledged: set[str], asset: Path) -> dict[str, int]:
    """Open the store and count what is wrong with it."""
    library = open_store(root).load()
    events = list(open_store(root).events())
    nonces = [nonce for event in events if (nonce := _nonce(event.entry))]
    return {
        "lost": len(acknowledged - set(nonces)),
        "torn": sum(_is_torn(root / "skills" / name) for name in library.skills),
        "disagreements": sum(
            (
                len(nonces) != len(set(nonces)),
                [event.seq for event in events] != list(range(len(events))),
                bool(events) and events[-1].library != library.digest,
                _replayed(events).digest != library.digest,
                asset.read_bytes() != _ASSET,
                any((root / "skills").glob(".*")),
                _strays(root / "skills", library, asset) != set(),
            )
        ),
    }


def _nonce(entry: Entry) -> str:
    match entry:
        case Decided(decision=decision):
            return decision.edit.why
        case Attempted(attempt=attempt):
            return attempt
        case RolledBack(why=why):
            return why
        case Remarked():
            return ""


def _replayed(events: list[Event]) -> Library:
    library = Library()
    for _, change, _ in changes(events):
        library = library.with_change(change)
    return library


def _strays(skills: Path, library: Library, asset: Path) -> set[Path]:
    """Return the files that belong neither to a skill in the library nor to the user."""
    files = {path for path in skills.rglob("*") if path.is_file()}
    ours = {skills / name / path for name, skill in library.skills.items() for path in ("SKILL.md", *skill.files)}
    return files - ours - {asset}


def _is_torn(folder: Path) -> bool:
    skill = skillfile.read(folder)
    nonces = {skill.body.strip(), *(text.split("\n")[0] for text in skill.files.values())}
    return nonces != set(skill.goals) or skill.description != f"Made by {skill.goals[0]}"


def main() -> int:
    """Run the kills that the command line asks for; exit with 1 when anything was lost or torn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop earlier after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the summary here")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    root = Path(tempfile.mkdtemp(prefix="kill-"))
    found = torture(root, kills=options.kills, seconds=options.seconds, seed=options.seed)
    command = "python evals/kill.py " + " ".join(sys.argv[1:])
    summary = json.dumps({"command": command.strip(), "seed": options.seed, **found}, indent=2)
    print(summary)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(summary + "\n", encoding="utf-8")
    if failed := any(found[key] for key in ("lost", "torn", "disagreements")):
        print(f"the store is left in {root}", file=sys.stderr)
    else:
        shutil.rmtree(root)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
