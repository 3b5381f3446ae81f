"""Chat: goals in words, live steps, and a person who says what was good or bad.

Lines are read plainly from stdin, so a conversation can be piped in. What a reader would get wrong: a goal is tried
once and nothing is learnt by itself; `/bad`, `/good` and `/learn` start learning, and only in a world that can be
reset, because learning repeats the task. What a person said of a failure is done first, where it can be. A page that
sets its own goal is tried and judged by that one: words typed for it start a try and are kept in the session, and the
conversation says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from skillagent.cli.output import AsJson, examples
from skillagent.cli.parts import Set, changes_of, parts_of
from skillagent.cli.run import CostLimit, Model, TimeLimit, TokenLimit
from skillagent.cli.tasks import WEB, states_goals, task_from

if TYPE_CHECKING:
    from skillagent.cli.session import Session
    from skillagent.cli.show import Watching
    from skillagent.library import Library
    from skillagent.loop import Agent
    from skillagent.schema import Attempt, Task

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

HELP = """\
GOAL         try to reach a goal; on a page that sets its own, an empty line tries the next instance
/SKILL GOAL  the same, shown just that skill
/good        the last try was good
/bad TEXT    the last try was bad, and why, or what to do instead
/learn       practise the last task and keep what helps
/skills      what the library holds
/why         why the last try was shown what it was shown
/undo        roll back the last accepted change
/help /quit"""


@app.command(
    epilog=examples(
        "skillagent chat --env miniwob/login-user",
        "skillagent chat --url https://example.org --session opening-hours",
        "skillagent chat --env miniwob/login-user --set memory.recall=on",
    )
)
def chat(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Option(help="The page where goals are to be reached.")] = None,
    env: Annotated[str | None, typer.Option(help="Environment and task, e.g. miniwob/login-user.")] = None,
    session: Annotated[str | None, typer.Option(help="A name under which it is saved and taken up again.")] = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Actions that one try may take. Without: 60, of the model 12.")
    ] = None,
    set_: Set = None,
    model: Model = None,
    token_limit: TokenLimit = None,
    cost_limit: CostLimit = None,
    time_limit: TimeLimit = None,
    as_json: AsJson = False,
) -> None:
    """Give goals in words, watch, and say what was good or bad.

    /good and /bad TEXT record your verdict; in a world that can be reset, what the tries teach is then replayed and
    kept where it helps. What /bad TEXT says is done there first: the model corrects the failed try by your words, up to
    five times, and what then succeeds is learnt from as shown by you. /why, /skills and /undo show and mend what was
    learnt. /help lists all. Goals in words are for --url; a miniwob page sets its own goals, and those are tried and
    judged: there an empty line tries the next one. The conversation is saved under the home folder, and --session NAME
    takes it up again. With --json, one JSON object a line.
    """
    from skillagent.build import Options
    from skillagent.cli.session import Session
    from skillagent.cli.show import watching
    from skillagent.practice.explore import Practice

    task_from("x" if url else None, env=env, url=url)  # the place is checked before anything is started
    parts = parts_of(ctx)
    settings = parts.settings(
        model=model,
        headed=headed or None,
        token_limit=token_limit,
        cost_limit=cost_limit,
        time_limit_s=time_limit,
    )
    options = Options(practice=Practice(seeds=1)).changed(changes_of(set_))
    saved = Session(settings.home.expanduser() / "chats", session)

    own = states_goals(env)

    def task(words: str, seed: int) -> Task:
        return task_from("" if own else words, env=env, url=url, seed=seed, max_steps=max_steps)

    with (
        watching(as_json, most=options.rules.pairs) as watch,
        parts.agent(settings, watch=watch, options=options) as agent,
    ):
        again = f", {len(saved.attempts)} tries so far" if saved.lines else ""
        watch.say(f"session {saved.name}{again}; /help lists the commands")
        if own:
            watch.say(
                f"{env} sets its own goals: each is shown when a try starts, and it is what is judged, whatever words "
                "you type; an empty line tries the next one"
            )
        Chat(agent, watch, saved, task).listen(parts.lines(not as_json))


class Chat:
    """One conversation.

    Args:
        agent: Tries and learns.
        watch: Shows what happens.
        session: Remembers the conversation.
        task: Makes a task of a goal in words and a seed.
    """

    def __init__(self, agent: Agent, watch: Watching, session: Session, task: Callable[[str, int], Task]) -> None:
        self._agent, self._watch, self._session, self._task = agent, watch, session, task

    def listen(self, lines: Iterable[str]) -> None:
        """Answer each line until `/quit` or the end. What goes wrong with one line does not end the conversation.

        Raises:
            BudgetSpent: There is nothing left to go on with.
        """
        from skillagent.errors import BudgetSpent, SkillAgentError

        for line in lines:
            words = line.strip()
            if words == "/quit":
                return
            try:
                self._answer(words)
            except BudgetSpent:
                raise
            except SkillAgentError as error:
                self._watch.say(f"error: {error}")

    def _answer(self, words: str) -> None:
        command, _, rest = words.partition(" ")
        match command:
            case "/good" | "/bad":
                self._remark(good=command == "/good", words=rest.strip())
            case "/learn":
                self._practise()
            case "/skills":
                self._skills()
            case "/why":
                self._why()
            case "/undo":
                self._undo()
            case "/help":
                self._watch.say(HELP)
            case _ if command.startswith("/") and not (rest.strip() and command[1:] in self._agent.store.load().skills):
                self._watch.say(f"no command {command}, and no skill with a goal behind it; /help lists them")
            case _:
                self._try(words)

    def _try(self, goal: str) -> None:
        from skillagent.loop import run

        task = self._task(goal, len(self._session.attempts))
        self._session.add("goal", words=goal)
        for attempt in run(self._agent, [task], learning=False):
            self._session.add_attempt(attempt)
            own = attempt.trajectory.goal
            if goal and own not in ("", goal):
                self._watch.say(f"{task.id} set its own goal, {own!r}: that was tried and judged, not your words")
            self._shown(attempt)

    def _shown(self, attempt: Attempt) -> None:
        from skillagent.cli import words

        if attempt.trajectory.answer:
            self._watch.say(f"answer  {attempt.trajectory.answer}")
        self._watch.say(f"spent   {words.of_usage(attempt.trajectory.usage)}; was that /good or /bad?")

    def _remark(self, *, good: bool, words: str) -> None:
        from skillagent.loop import learn
        from skillagent.practice.feedback import judged, remark

        last = self._last()
        said = remark(last, good=good, words=words)
        self._agent.store.commit(said)
        self._session.judge_last(judged(last, said), good, words)
        self._watch.say(f"noted: {'good' if good else 'bad'}")
        if problem := _why_not(last.trajectory.task):
            self._watch.say(f"nothing is learnt from it: {problem}")
            return
        library = self._agent.store.load()
        task = last.trajectory.task.id
        alike = [one for one in self._session.attempts if one.trajectory.task.id == task]
        same = [one for one in alike if one.library == library.digest]
        done = [] if good or not words else self._done_as_said(library)
        if not list(learn(self._agent, [*same, *done], library)):
            self._watch.say("nothing to change; /learn practises the task")

    def _done_as_said(self, library: Library) -> list[Attempt]:
        """Return the success that a person's words make of the last try, where the world can tell it from a failure."""
        from skillagent.loop import mended

        last = self._last()
        if self._agent.judge(last.trajectory).success is not False:
            self._watch.say("the world saw no failure there, so it cannot tell whether your words mend it")
            return []
        return mended(self._agent, [last], library)

    def _practise(self) -> None:
        from skillagent.loop import run

        task = self._last().trajectory.task
        if problem := _why_not(task):
            self._watch.say(f"nothing can be learnt: {problem}")
            return
        before = len(self._watch.decisions)
        for attempt in run(self._agent, [task]):
            self._session.add_attempt(attempt)
        if len(self._watch.decisions) == before:
            self._watch.say("nothing to change")

    def _skills(self) -> None:
        from skillagent.cli.output import shorten

        library = self._agent.store.load()
        for name in sorted(library.skills):
            skill = library.skills[name]
            self._watch.say(f"{name} v{skill.version}: {shorten(skill.description, 100)}")
        self._watch.say(f"{len(library.skills)} skills, {len(library.insights)} insights")

    def _why(self) -> None:
        from skillagent.cli import words

        route = self._last().route
        if route is None:
            self._watch.say("the last try never came to choosing")
            return
        self._watch.say(f"shown: {words.of_route(route)}")
        chosen = set(route.ids)
        others = [one for part in route.considered for one in part if one.id not in chosen]
        if others:
            self._watch.say(f"runner-up: {words.of_ranked(others[0])}")
        self._watch.say(
            "chance: that it fits; solved, text: likeness to a goal it solved, and to its text (1 is equal)"
        )

    def _undo(self) -> None:
        from skillagent.cli import words
        from skillagent.cli.undo import last_undone

        store = self._agent.store
        library = store.load()
        entry = last_undone(library, store.events())
        told = words.of_undone(entry.changes, library)
        store.commit(entry)
        self._session.add("undo", changes=told)
        self._watch.say(f"undone: {told}")

    def _last(self) -> Attempt:
        from skillagent.errors import NotFound

        if not self._session.attempts:
            raise NotFound("nothing has been tried yet; give a goal first")
        return self._session.attempts[-1]


def _why_not(task: Task) -> str | None:
    """Return why a try in a conversation cannot be learnt from, or None."""
    if task.env == WEB:
        return "a page on the web cannot be reset, and nothing there tells whether a replay succeeded"
    return None
