"""What the commands' tests put in: a world with a secret, a scripted model, a store in memory or on disk."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from skillagent.acting.act import act
from skillagent.acting.plan import plan
from skillagent.build import Options, upkeep_of
from skillagent.cli.parts import Parts
from skillagent.config import Settings
from skillagent.errors import ConfigError
from skillagent.learning.gate import gate
from skillagent.learning.judge import judge
from skillagent.learning.lint import lint
from skillagent.learning.reflect import reflect
from skillagent.learning.replays import fresh, rehearsals, sources
from skillagent.learning.write import write
from skillagent.llm.meter import Meter, Metered
from skillagent.loop import Agent, unwatched
from skillagent.ports import LLM, Store
from skillagent.practice.explore import practise
from skillagent.practice.mend import mended
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import Thresholds, covers, nearest_skills, route
from skillagent.schema import Role
from skillagent.testing import Corridor, HashEmbedder, ScriptedLLM

SECRET = dict.fromkeys(Corridor.colours, "white")


class Lucky:
    """Presses what the goal names; white, which is always right, when a skill is shown or when asked warmly."""

    name = "lucky"

    def __init__(self) -> None:
        self._cold, self._warm = ScriptedLLM(_cold), ScriptedLLM(_warm)

    def reply(self, messages, *, role, schema=None, temperature=0.0, seed=0, max_tokens=512):
        chosen = self._warm if temperature > 0 and role is not Role.REFLECTOR else self._cold
        return chosen.reply(messages, role=role, schema=schema, temperature=temperature, seed=seed)


def _cold(messages, role):
    if role is Role.REFLECTOR:
        words = ("what", "when", "not_when", "applies", "does_not_apply", "explanation", "level_1", "level_2")
        return {"name": "press-white", **{word: f"{word} to press." for word in words}}
    text = messages[-1].content
    named = next(colour for colour in Corridor.colours if f'press the "{colour}"' in text)
    return _press("white" if any("<skill>" in message.content for message in messages) else named, text)


def _warm(messages, role):
    return _press("white", messages[-1].content)


def _press(colour, text):
    ref = next(line[1] for line in text.splitlines() if line.startswith("[") and line.endswith(f'"{colour}"'))
    return {"verb": "click", "ref": ref}


def parts(tmp_path: Path, *, llm: LLM | None = None, store: Store | None = None, **world: object) -> Parts:
    """Return parts with which every command runs in memory; without a store, it is on disk below `tmp_path`."""
    from skillagent.store.disk import DiskStore

    def settings(**overrides: object) -> Settings:
        given = {key: value for key, value in overrides.items() if value is not None}
        folders = {"skills": tmp_path / "skills", "memory": tmp_path / "memory", "home": tmp_path / "home"}
        return Settings(_env_file=None, **(folders | given))

    def opened(settings: Settings) -> Store:
        return store or DiskStore(settings.skills, settings.memory)

    @contextmanager
    def agent(settings, *, watch=unwatched, options=None, read_only=False) -> Iterator[Agent]:
        yield corridor_agent(
            llm or Lucky(), opened(settings), watch=watch, options=options or Options(), settings=settings, **world
        )

    return Parts(settings=settings, agent=agent, store=opened, vectors=lambda settings: HashEmbedder())


def corridor_agent(llm, store, *, watch, options, settings, secret=SECRET, environment=None) -> Agent:
    """Return an agent in the corridor, with every real stage."""
    from skillagent.build import budget

    meter, embedder = Meter(), HashEmbedder()
    metered = Metered(llm, meter, budget(settings))
    world = environment or Corridor(secret)
    routed = partial(route, catalogue=Catalogue(embedder), thresholds=Thresholds())

    def open_(task):
        if task.env not in ("corridor", "web"):
            raise ConfigError(f"no environment {task.env!r}; there is corridor")
        return world

    return Agent(
        open=open_,
        drop=lambda task: None,
        plan=partial(
            plan,
            llm=metered,
            covers=partial(covers, catalogue=Catalogue(embedder)),
            form=lambda *_: 0,
            near=partial(nearest_skills, catalogue=Catalogue(embedder)),
        ),
        route=routed,
        act=partial(act, llm=metered, programs=options.programs),
        judge=judge,
        practise=partial(practise, practice=options.practice),
        reflect=reflect,
        write=partial(write, llm=metered, induction=options.making),
        mend=partial(mended, llm=metered, rounds=options.practice.mend, watch=watch),
        lint=lint,
        gate=lambda edit, lesson, library, events, trial: gate(
            edit,
            library,
            trial,
            sources=sources(lesson),
            fresh=fresh(lesson),
            rehearsals=rehearsals(edit, lesson, library, events, routed, goal_of=lambda task: None),
            rules=options.rules,
            watch=watch,
        ),
        store=store,
        spent=lambda: meter.total,
        upkeep=upkeep_of(options, embedder, metered),
        watch=watch,
    )


def lines(text: str) -> list[dict]:
    """Return the JSON objects of a text with one a line."""
    return [json.loads(line) for line in text.splitlines()]
