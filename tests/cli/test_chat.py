"""`chat`, with lines piped in: goals, verdicts, learning, undo, and taking a conversation up again."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from corridor_parts import SECRET, Lucky, corridor_agent, lines, parts

from skillagent.build import Options
from skillagent.cli import main
from skillagent.cli.chat import Chat
from skillagent.cli.session import Session
from skillagent.cli.tasks import task_from
from skillagent.errors import ConfigError
from skillagent.learning.distinguish import connected
from skillagent.practice.feedback import judged, remark
from skillagent.schema import (
    Condition,
    Decided,
    Decision,
    Edit,
    Insight,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Remarked,
    Skill,
)
from skillagent.testing import Corridor, MemoryStore, ScriptedLLM


class Heard:
    """Keeps what the conversation shows."""

    def __init__(self):
        self.decisions, self.said = [], []

    def __call__(self, value):
        if type(value).__name__ == "Decision":
            self.decisions.append(value)

    def say(self, text):
        self.said.append(text)


class Table:
    """A conversation in memory."""

    def __init__(self, tmp_path, *, name="talk", env="corridor/press", url=None, world=None, llm=None):
        self.store, self.heard = MemoryStore(), Heard()
        self.session = Session(tmp_path / "chats", name)
        settings = parts(tmp_path).settings()
        agent = corridor_agent(
            llm or Lucky(), self.store, watch=self.heard, options=Options(), settings=settings, environment=world
        )
        self.chat = Chat(
            agent, self.heard, self.session, lambda words, seed: task_from(words, env=env, url=url, seed=seed)
        )

    def say(self, *lines):
        """Say lines and return what was answered to them."""
        before = len(self.heard.said)
        self.chat.listen(f"{line}\n" for line in lines)
        return "\n".join(self.heard.said[before:])


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path)


def test_a_goal_is_tried_once_and_nothing_is_learnt_by_itself(table):
    assert "was that /good or /bad?" in table.say("")
    assert [event.entry.kind for event in table.store.events()] == ["attempted"]


def test_each_goal_is_another_practice_instance(table):
    table.say("", "")
    assert [one.trajectory.task.seed for one in table.session.attempts] == [0, 1]


def test_a_bad_verdict_is_recorded_in_the_person_s_words_and_becomes_a_failure_to_learn_from(table):
    table.say("")
    attempt = table.session.attempts[0].id
    table.say("/bad you must press white")
    remarks = [event.entry for event in table.store.events() if isinstance(event.entry, Remarked)]
    assert remarks == [Remarked(attempt=attempt, good=False, words="you must press white")]
    last = table.session.attempts[-1].verdict
    assert (last.score, last.by, last.reason) == (0.0, "person", "you must press white")
    assert len(table.heard.decisions) == 1


def test_a_page_on_the_web_is_remembered_but_not_learnt_from(tmp_path):
    table = Table(tmp_path, env=None, url="http://localhost:1/")
    assert "nothing is learnt from it: a page on the web" in table.say('press the "red" button', "/bad no")
    assert [event.entry.kind for event in table.store.events()] == ["attempted", "remarked"]
    assert "nothing can be learnt" in table.say("/learn")


class Anew(Corridor):
    anew = True


class Corrected(Lucky):
    """Corrects a try by pressing the buttons that it is given, one more each time; keeps what it was asked."""

    def __init__(self, *names):
        super().__init__()
        self.names, self.asked = iter(names), []

    def reply(self, messages, *, role, **rest):
        if "heed what <verdict> says" not in messages[0].content:
            return super().reply(messages, role=role, **rest)
        self.asked.append(messages[0].content)
        plan = {"plan": [{"does": "press it", "actions": [{"verb": "click", "ref": next(self.names)}]}]}
        return ScriptedLLM([plan]).reply(messages, role=role)


def shown_in(table):
    """Return who acted in each demonstration that was proposed or let in."""
    changes = [change for one in table.heard.decisions for change in one.edit.changes]
    return {change.demonstration.source for change in changes if isinstance(change, PutDemonstration)}


def test_what_a_person_says_of_a_failure_is_done_and_learnt_from_as_theirs(tmp_path):
    llm = Corrected("button grey", "button white")
    table = Table(tmp_path, world=Anew(SECRET), llm=llm)
    table.say("", "/bad you must press white")
    assert len(llm.asked) == 2
    assert "A person says: you must press white" in llm.asked[0]
    assert shown_in(table) == {"person"}
    assert "press-white" in table.store.load().skills
    assert [event.entry.kind for event in table.store.events()][:2] == ["attempted", "remarked"]
    assert len(table.session.attempts) == 1, "what was mended is no try of the conversation"


def test_where_the_words_do_not_mend_it_the_failure_is_learnt_from_as_before(tmp_path):
    llm = Corrected("button red", "button red")
    table = Table(tmp_path, world=Anew(SECRET), llm=llm)
    table.say("", "/bad you must press red")
    assert len(llm.asked) == 2, "the same list once more ends it"
    assert len(table.heard.decisions) == 1
    assert not shown_in(table)


@pytest.mark.parametrize(
    ("world", "line", "why"),
    [
        (Anew(SECRET), "/good it did", ""),
        (Anew(SECRET), "/bad", ""),
        (Corridor(SECRET), "/bad press white", ""),
        (Anew(), "/bad press white", "the world saw no failure there"),
    ],
)
def test_nothing_is_mended_without_words_for_a_failure_that_the_world_can_see_and_undo(tmp_path, world, line, why):
    table = Table(tmp_path, world=world, llm=(llm := Corrected()))
    assert why in table.say("", line)
    assert not llm.asked


class OwnGoal(Corridor):
    """Reads no goal in words, as MiniWoB++ pages do."""

    def reset(self, task):
        return super().reset(task.model_copy(update={"goal": ""}))


def test_words_for_a_page_that_sets_its_own_goal_are_answered_with_that_goal(tmp_path):
    table = Table(tmp_path, world=OwnGoal())
    said = table.say('press the "grey" button')
    goal = table.session.attempts[0].trajectory.goal
    assert goal.startswith("press the ")
    assert f"corridor/press set its own goal, {goal!r}: that was tried and judged, not your words" in said
    assert "own goal" not in table.say("")


def test_a_goal_in_words_that_is_read_is_not_remarked_on(table):
    assert "own goal" not in table.say('press the "red" button')


@pytest.mark.parametrize(("env", "own"), [("miniwob/login-user", True), ("corridor/press", False)])
def test_chat_says_at_the_start_whether_the_page_sets_its_own_goals(tmp_path, capsys, env, own):
    given = replace(parts(tmp_path, store=MemoryStore()), lines=lambda prompt: [])
    assert main(["chat", "--env", env], parts=given) == 0
    assert (f"{env} sets its own goals" in capsys.readouterr().out) == own


def test_words_typed_in_chat_never_reach_a_task_that_sets_its_own_goal(tmp_path, capsys):
    given = replace(parts(tmp_path, store=MemoryStore()), lines=lambda prompt: ["log out\n"])
    assert main(["chat", "--env", "miniwob/login-user", "--json"], parts=given) == 0
    assert "no environment 'miniwob'" in lines(capsys.readouterr().out)[-1]["text"], "not refused for its words"


def test_learn_practises_the_last_task_and_undo_takes_it_back(table):
    table.say("", "/learn")
    assert "press-white" in table.store.load().skills
    assert "press-white v1" in table.say("/skills")
    assert "undone: without skill press-white" in table.say("/undo")
    assert len(table.store.load()) == 0
    assert "nothing to undo" in table.say("/undo")


def test_undo_says_of_an_insight_of_which_only_the_links_change_just_that(table):
    def insight(key):
        return Insight(id=key, taxonomy="x/y/z", kind="pitfall", condition=Condition(applies="a"), explanation="e")

    for changes in ([PutInsight(insight=insight("a"))], connected(insight("b"), [insight("a")])):
        edit = Edit(changes=tuple(changes), why="w")
        table.store.commit(Decided(decision=Decision(edit=edit, accepted=True, reason="accepted")))
    assert table.say("/undo") == "undone: without insight b, a's links"
    assert table.say("/undo") == "undone: without insight a"


def test_why_names_what_was_shown_with_its_likeness(table):
    assert "nothing fits (no skill is for this environment)" in table.say("", "/why")
    assert "press-white v1 [solved 1.00" in table.say("/learn", "", "/why")


def test_why_names_the_runner_up_that_was_not_shown(table):
    other = Skill(name="pull-the-rope", description="Use to pull a rope.", body="1. pull\n")
    edit = Edit(changes=(PutSkill(skill=other),), why="w")
    table.store.commit(Decided(decision=Decision(edit=edit, accepted=True, reason="accepted")))
    said = table.say("", "/learn", "", "/why")
    assert "runner-up: pull-the-rope v1 [" in said


@pytest.mark.parametrize("line", ["/good", "/bad x", "/why", "/learn"])
def test_a_command_about_the_last_try_needs_one(table, line):
    assert "nothing has been tried yet" in table.say(line)


def test_a_mistake_does_not_end_the_conversation_but_quit_does(table):
    said = table.say("/nonsense", "/help", "/quit", "")
    assert "no command /nonsense" in said
    assert "/undo" in said
    assert table.session.attempts == []


def test_a_goal_may_begin_with_the_name_of_a_skill_and_a_name_alone_is_no_goal(table):
    table.say("", "/learn")
    (skill,) = table.store.load().skills
    before = len(table.session.attempts)
    assert "no command" not in table.say(f"/{skill} {table.store.load().skills[skill].goals[0]}")
    assert len(table.session.attempts) == before + 1
    assert f"no command /{skill}" in table.say(f"/{skill}")


def test_a_conversation_is_saved_and_taken_up_again(tmp_path, table):
    table.say("", "/bad no", "")
    again = Table(tmp_path)
    assert again.session.attempts == table.session.attempts
    assert [one.verdict.by for one in again.session.attempts] == ["person", "environment"]
    again.say("")
    assert again.session.attempts[-1].trajectory.task.seed == 2


def test_a_goal_with_odd_line_ends_in_it_is_taken_up_again(tmp_path, table):
    table.say('press the "red" button \u2028 now\x85 please')
    again = Session(tmp_path / "chats", "talk")
    assert len(again.attempts) == 1
    assert again.attempts == table.session.attempts
    assert again.lines == table.session.lines


def test_a_torn_last_line_costs_that_line_only(tmp_path, table):
    table.say("", "")
    with table.session.path.open("a", encoding="utf-8") as file:
        file.write('{"kind": "att')
    again = Session(tmp_path / "chats", "talk")
    assert len(again.attempts) == 2
    again.add("goal", words="x")
    assert [json.loads(line)["kind"] for line in again.path.read_text(encoding="utf-8").splitlines()][-1] == "goal"


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 81])
def test_a_session_s_name_cannot_leave_its_folder(tmp_path, name):
    if name:
        with pytest.raises(ConfigError, match="session"):
            Session(tmp_path, name)
    else:
        assert Session(tmp_path, name).path.parent == tmp_path


def test_lines_can_be_piped_in_and_the_end_of_input_quits(tmp_path):
    code = (
        "import sys; from pathlib import Path; from corridor_parts import parts; from skillagent.cli import main;"
        "sys.exit(main(['chat', '--env', 'corridor/press', '--session', 's'], parts=parts(Path(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        input="\n/skills\n",
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "verdict failure" in done.stdout
    assert "0 skills, 0 insights" in done.stdout
    assert (tmp_path / "home" / "chats" / "s.jsonl").exists()


def test_a_spent_budget_ends_the_conversation_with_its_exit_code(tmp_path, capsys):
    arguments = ["chat", "--env", "corridor/press", "--token-limit", "1"]
    given = replace(parts(tmp_path, store=MemoryStore()), lines=lambda prompt: ["\n", "\n", "/quit\n"])
    assert main(arguments, parts=given) == 4
    assert "are spent" in capsys.readouterr().err


def test_chat_as_json_is_one_object_a_line(tmp_path, capsys):
    given = replace(
        parts(tmp_path, store=MemoryStore()), lines=lambda prompt: ["\n", "/skills\n"] if not prompt else []
    )
    assert main(["chat", "--env", "corridor/press", "--json"], parts=given) == 0
    events = [event["event"] for event in lines(capsys.readouterr().out)]
    assert events == ["note", "start", "plan", "route", "step", "verdict", "note", "note"]


def test_a_person_s_verdict_replaces_the_world_s_but_not_for_a_void_episode(table):
    table.say("")
    attempt = table.session.attempts[0]
    assert judged(attempt, remark(attempt, good=True)).verdict.score == 1.0
    void = attempt.model_copy(update={"trajectory": attempt.trajectory.model_copy(update={"void": "crash"})})
    assert judged(void, remark(void, good=False, words="bad")) == void
