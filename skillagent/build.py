"""Build: the one place that names concrete classes. Everything else is handed what it needs.

    with open_agent(settings) as agent:
        for attempt in run(agent, [Task(env="miniwob", name="login-user")]):
            print(attempt.verdict)

Heavy packages are imported by the parts that use them, when they are first used.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from skillagent.acting.act import act
from skillagent.acting.disclose import Showing
from skillagent.acting.distil import Distiller
from skillagent.acting.plan import plan
from skillagent.acting.policy import Aids, Memory
from skillagent.acting.replan import replan
from skillagent.config import Settings, draw_without_a_screen, export_provider_keys, fault
from skillagent.envs.registry import Options as EnvironmentOptions
from skillagent.envs.registry import open_environment
from skillagent.envs.worlds import Worlds
from skillagent.errors import ConfigError, WorldFault
from skillagent.learning.borrow import borrowed
from skillagent.learning.curate import Upkeep, brought_back, harmful, linked, merged, thinned, useless
from skillagent.learning.demote import demoted
from skillagent.learning.diagnose import diagnose
from skillagent.learning.distinguish import nearest as insights_near
from skillagent.learning.gate import Rules, gate
from skillagent.learning.judge import judge
from skillagent.learning.lint import lint
from skillagent.learning.refine import refined
from skillagent.learning.reflect import reflect
from skillagent.learning.replays import Router, fresh, rehearsals, sources, touched
from skillagent.learning.utility import hurting, utilities
from skillagent.learning.write import Induction, Writing, write
from skillagent.library import Library
from skillagent.llm import weights
from skillagent.llm.cache import Cached
from skillagent.llm.cascade import Cascade
from skillagent.llm.embed import LiteLLMEmbedder, MiniLM, SentenceTransformers
from skillagent.llm.litellm import LiteLLM
from skillagent.llm.local import LlamaCpp
from skillagent.llm.meter import Budget, Meter, Metered
from skillagent.loop import Agent, Gate, Trial, Watch, undiagnosed, unwatched
from skillagent.loop import Upkeep as Care
from skillagent.ports import LLM, Embedder, Store, VectorCache
from skillagent.practice.curriculum import surprised
from skillagent.practice.explore import Practice, practise
from skillagent.practice.mend import mended
from skillagent.practice.relabel import relabelled
from skillagent.practice.wander import Wandering, wandered
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.outcomes import Outcomes
from skillagent.routing.recall import recall
from skillagent.routing.route import Thresholds, covers, form, nearest_skills, route
from skillagent.routing.solved import Solved
from skillagent.routing.steps import Similar, similar
from skillagent.routing.steps import nearest as demonstrations_near
from skillagent.schema import Cause, Decision, Edit, Event, Lesson, Plan, Task, Value, Variation
from skillagent.store.before import history
from skillagent.store.disk import DiskStore
from skillagent.store.vectors import ChromaVectors
from skillagent.trained import trained_router

_ROOM = 12_000  # characters: more is slow to read and a small model makes no use of it
_RULES = 600  # characters of a block of rules

PARTS = ("skills", "insights", "demonstrations")  # of a library, which an arm may switch off


@dataclass(frozen=True)
class Options:
    """How the stages are set. An ablation is another value of this.

    Without `programs` skills are words alone, and none is learnt as a program; without `filling` the model is not asked
    for the values of a goal that no pattern fits; without `replanning` no other program takes over from one that does
    not do it, and no plan is made again; without `diagnosis` nobody asks what the insights did in a failure; without
    `reranking` the router does not use what it was trained to; without `remembering` skills are not found by goals that
    they solved since they were written. With `annotation` the model notes what mattered in a demonstration. With
    `dividing` short goals are divided too. `similar` shows the model, at every step, moments of demonstrations like the
    present one; `memory` is what it may do itself, `showing` how much of skills it is shown.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    practice: Practice = field(default_factory=Practice)
    wandering: Wandering = field(default_factory=Wandering)
    rules: Rules = field(default_factory=Rules)
    induction: Induction = field(default_factory=Induction)
    writing: Writing = field(default_factory=Writing)
    upkeep: Upkeep = field(default_factory=Upkeep)
    planning: bool = True
    dividing: bool = False
    programs: bool = True
    filling: bool = True
    replanning: bool = True
    diagnosis: bool = True
    reranking: bool = True
    remembering: bool = True
    annotation: bool = False
    memory: Memory = field(default_factory=Memory)
    similar: Similar = field(default_factory=Similar)
    showing: Showing = field(default_factory=Showing)

    @property
    def making(self) -> Induction:
        """How programs are made; without programs, none is."""
        return self.induction if self.programs else self.induction.model_copy(update={"most": 0})

    def changed(self, changes: Mapping[str, JsonValue]) -> Options:
        """Return these options with some set otherwise: `{"planning": "off", "thresholds.solved": 0.7}`.

        Raises:
            ConfigError: There is no such option, or it cannot have that value.
        """
        parts: dict[str, object] = {part.name: getattr(self, part.name) for part in fields(self)}
        for key, value in changes.items():
            name, _, inner = key.partition(".")
            part = parts.get(name)
            if isinstance(part, Value) and inner in type(part).model_fields:
                parts[name] = _checked(key, type(part), {**part.model_dump(), inner: value})
            elif isinstance(part, bool) and not inner:
                parts[name] = _checked(key, _Switch, {"on": value}).on
            else:
                names = [k for k, v in parts.items() if isinstance(v, bool)]
                names += [f"{k}.{f}" for k, v in parts.items() if isinstance(v, Value) for f in type(v).model_fields]
                near = difflib.get_close_matches(key, names, n=3)
                hint = f"did you mean {', '.join(near)}?" if near else f"there is {', '.join(names)}"
                hint = f"it is an arm of `skillagent eval --arms {key}=off`" if key in PARTS else hint
                raise ConfigError(f"no option {key!r}; {hint}")
        return Options(**parts)  # type: ignore[arg-type]  # each part was checked against its own type


class _Switch(Value):
    on: bool


_V = TypeVar("_V", bound=Value)


def _checked(key: str, kind: type[_V], content: Mapping[str, object]) -> _V:
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"option {key}: {fault(error)[1]}") from None


@contextmanager
def open_agent(
    settings: Settings,
    *,
    options: Options | None = None,
    watch: Watch = unwatched,
    llm: LLM | None = None,
    store: Store | None = None,
    meter: Meter | None = None,
    read_only: bool = False,
) -> Iterator[Agent]:
    """Put an agent together, and let go of its browser and files afterwards.

    Args:
        settings: Which model, embedder, store and browser.
        options: How the stages are set.
        watch: Is shown every value as it comes to exist.
        llm: Instead of the model that the settings name.
        store: Instead of the store in the settings' folders.
        meter: Counts what is spent; give one to read it by role.
        read_only: Leave the disk's vectors as they are, and read the ledger once: for a process beside one that learns.

    Raises:
        ConfigError: Something that the operator must install or set is missing.
    """
    options, meter = options or Options(), meter or Meter()
    metered = Metered(llm or language_model(settings), meter, budget(settings), context=settings.context)
    vectors = vector_cache(settings, read_only=read_only)
    worlds = Worlds(lambda name: open_environment(name, environment_options(settings)))
    kept = store or DiskStore(settings.skills, settings.memory)
    told = history(settings.memory, kept.events, once=read_only)

    catalogue = Catalogue(vectors, Solved(vectors, told) if options.remembering else None)
    outcomes = Outcomes(vectors, told)
    trained = trained_router(settings, vectors.name) if options.reranking else None
    routed = partial(route, catalogue=catalogue, thresholds=options.thresholds, outcomes=outcomes, trained=trained)
    near, how = partial(nearest_skills, catalogue=catalogue), options.practice
    mend = partial(mended, near=near, shown=how.neighbours, rounds=how.mend, solved=how.solved, room=_ROOM)

    def covered(goal: str, library: Library, domain: str) -> bool:
        return not options.planning or covers(goal, library, domain, catalogue=catalogue, thresholds=options.thresholds)

    def formed(goal: str, library: Library, domain: str) -> int:
        on = options.planning and options.programs
        return form(goal, library, domain, catalogue=catalogue, thresholds=options.thresholds) if on else 0

    def nearest(goal: str, library: Library) -> list[str]:
        limits = options.thresholds.model_copy(update={"insight": -1.0, "insights": len(library.insights)})
        routed = route(Plan(goal=goal), library, catalogue=catalogue, thresholds=limits)
        return [ranked.id for ranked in routed.insights[0]]

    try:
        yield Agent(
            open=worlds.open,
            drop=worlds.drop,
            plan=partial(plan, llm=metered, covers=covered, form=formed, near=near, short=options.dividing),
            stitch=partial(plan, llm=None, covers=covered, form=formed, near=near),
            route=routed,
            act=partial(
                act,
                llm=metered,
                room=_ROOM,
                programs=options.programs,
                filling=options.filling,
                replanning=options.replanning,
                replan=partial(replan, llm=metered, near=near, route=routed),
                aids=_aids(options, vectors, catalogue, told),
            ),
            judge=judge,
            practise=partial(practise, practice=how, again=lambda task: surprised(task, kept.events())),
            reflect=reflect,
            write=partial(
                write,
                llm=metered,
                induction=options.making,
                annotating=options.annotation,
                writing=options.writing,
                near=partial(insights_near, cache=vectors, least=options.upkeep.related),
            ),
            lint=lint,
            gate=_gate(options, worlds, routed, watch),
            store=kept,
            spent=lambda: meter.total,
            borrow=partial(borrowed, near=near, most=how.borrow * options.programs),
            mend=partial(mend, llm=metered, watch=watch),
            relabel=relabelled if how.relabel else None,
            wander=partial(wandered, amount=options.wandering, watch=watch),
            diagnose=partial(diagnose, nearest=nearest) if options.diagnosis else undiagnosed,
            upkeep=upkeep_of(options, vectors, metered),
            watch=watch,
        )
    finally:
        worlds.close()
        vectors.close()
        if llm is None:  # a model that was handed in is the caller's
            metered.close()


def _gate(options: Options, worlds: Worlds, routed: Router, watch: Watch) -> Gate:
    """Return the gate, with the tasks that it replays chosen for it."""

    def goal_of(task: Task) -> str | None:
        try:
            return worlds.open(task).reset(task).goal
        except WorldFault:
            worlds.drop(task)
            return None

    def gated(edit: Edit, lesson: Lesson, library: Library, events: Iterable[Event], trial: Trial) -> Decision:
        saves = lesson.cause is Cause.EFFORT  # what is solved anyway, at the model's cost
        return gate(
            edit,
            library,
            trial,
            sources=sources(lesson),
            fresh=touched(fresh(lesson), edit, library, routed, goal_of),
            rehearsals=rehearsals(edit, lesson, library, events, routed, goal_of=goal_of),
            rules=options.rules,
            alone=partial(trial, variation=Variation(alone=True)) if saves else None,
            watch=watch,
        )

    return gated


def _aids(options: Options, vectors: VectorCache, catalogue: Catalogue, told: Callable[[], Iterable[Event]]) -> Aids:
    close = partial(demonstrations_near, cache=vectors, most=options.memory.rules, least=options.similar.least)
    return Aids(
        distil=Distiller(close, characters=_RULES, harmful=lambda: hurting(told())) if options.memory.rules else None,
        likes=partial(similar, cache=vectors, limits=options.similar) if options.similar.most else None,
        recall=partial(recall, catalogue=catalogue) if options.memory.recall else None,
        invent=options.memory.invent,
        showing=options.showing,
    )


def upkeep_of(options: Options, vectors: VectorCache, llm: LLM) -> dict[str, Care]:
    """Return the kinds of care for the library, in the order in which they are taken."""
    catalogue = Catalogue(vectors)

    def shown(goal: str, library: Library) -> list[str]:
        routed = route(Plan(goal=goal), library, catalogue=catalogue, thresholds=options.thresholds)
        return [ranked.id for ranked in routed.insights[0]]

    def unharmed(library: Library, events: Sequence[Event], _: Trial) -> Iterator[Decision]:
        return harmful(library, utilities(events))

    def joined(library: Library, events: Sequence[Event], trial: Trial) -> Iterator[Decision]:
        return merged(library, vectors, trial, options.upkeep, shown=shown, events=events)

    def reworded(library: Library, events: Sequence[Event], _: Trial) -> Iterator[Decision]:
        return refined(library, events, shown, llm=llm, wordings=options.upkeep.wordings)

    def related(library: Library, _: Sequence[Event], __: Trial) -> Iterator[Decision]:
        return linked(library, vectors, options.upkeep)

    def kept_few(library: Library, events: Sequence[Event], _: Trial) -> Iterator[Decision]:
        yield from thinned(library, vectors, utilities(events), options.upkeep, kept=brought_back(events))
        yield from useless(library, options.upkeep, kept=brought_back(events))

    def ran_in_vain(library: Library, events: Sequence[Event], _: Trial) -> Iterator[Decision]:
        return demoted(library, events, utilities(events))

    return {
        "programs": ran_in_vain,
        "harmful": unharmed,
        "same": joined,
        "conditions": reworded,
        "budget": kept_few,
        "related": related,  # the last: it names no insight that goes
    }


def language_model(settings: Settings) -> LLM:
    """Return the model that the settings name, with the student that drafts for it; nothing is loaded or asked yet.

    Raises:
        ConfigError: No such local model, or its weights are not here yet.
    """
    model = _model(settings)
    if settings.student is not None:
        student = _model(settings.model_copy(update={"model": settings.student}))
        model = Cascade(student, model, samples=settings.drafts)
    return Cached(model, settings.home.expanduser() / "replies") if settings.cache_replies else model


def _model(settings: Settings) -> LLM:
    kind, _, name = settings.model.partition("/")
    if kind == "local":
        file = weights.path(name, settings.models_dir)
        if file is None:
            raise ConfigError(f"model {settings.model}: its weights are not here; run `skillagent models pull {name}`")
        return LlamaCpp(file, name=settings.model, threads=settings.threads, context=settings.context)
    if not name:
        raise ConfigError(
            f"model {settings.model!r}: say provider/name, e.g. local/qwen2.5-coder-1.5b or openai/gpt-5-mini"
        )
    export_provider_keys()
    key = settings.api_key.get_secret_value() if settings.api_key else None
    return LiteLLM(
        settings.model,
        base_url=settings.base_url,
        api_key=key,
        timeout_s=settings.timeout_s,
        priced=settings.cost_limit is not None,
    )


def embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name; nothing is loaded yet.

    Raises:
        ConfigError: The embedded one's files are not here yet.
    """
    kind, _, name = settings.embedder.partition("/")
    if kind == "local":
        file = weights.path(name, settings.models_dir)
        if file is None:
            raise ConfigError(
                f"embedder {settings.embedder}: its files are not here; run `skillagent models pull {name}`"
            )
        return MiniLM(file, file.with_name("tokenizer.json"))
    if kind == "sentence-transformers":
        return SentenceTransformers(name)
    export_provider_keys()
    return LiteLLMEmbedder(settings.embedder)


def vector_cache(settings: Settings, *, read_only: bool = False) -> ChromaVectors:
    """Return the vectors' cache, in the memory folder or on the Chroma server that the settings name."""
    return ChromaVectors(
        embedder(settings), path=settings.memory / "vectors", url=settings.chroma_url, read_only=read_only
    )


def environment_options(settings: Settings) -> EnvironmentOptions:
    """Return what the settings say about environments; from now on robots are drawn without a screen."""
    draw_without_a_screen()
    return EnvironmentOptions(chromium=settings.chromium, headed=settings.headed, problems=settings.problems)


def budget(settings: Settings) -> Budget:
    """Return what may be spent on models, as the settings say."""
    return Budget(tokens=settings.token_limit, cost_usd=settings.cost_limit, seconds=settings.time_limit_s)
