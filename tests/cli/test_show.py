"""The live display: one line for each thing, whatever the texts in it try to do to the terminal."""

import io

import pytest
from rich.console import Console

from skillagent.cli import words
from skillagent.cli.output import clean, shorten, table
from skillagent.cli.show import Lines, Show
from skillagent.schema import (
    Action,
    Decision,
    Edit,
    Element,
    Mended,
    Observation,
    Pair,
    Plan,
    PutSkill,
    Ranked,
    Replanned,
    Route,
    Score,
    Skill,
    Step,
    Subgoal,
    Task,
    Verdict,
    Wandered,
)

TASK = Task(env="corridor", name="press", seed=1_000_000)
EDIT = Edit(changes=(PutSkill(skill=Skill(name="s", description="d", body="b")),), why="w")
SEEN = Observation(goal="press red", text="", elements=(Element(ref="1", role="button", name="red"),))


def shown(*values, terminal=False, **options):
    out = io.StringIO()
    with Show(Console(file=out, width=60, force_terminal=terminal, color_system=None), **options) as show:
        for value in values:
            show(value)
    return out.getvalue()


def pair(before, after, seed=TASK.seed):
    task = TASK.model_copy(update={"seed": seed})
    scores = (None if value is None else Score(value=value) for value in (before, after))
    return Pair(task=task, **dict(zip(("before", "after"), scores, strict=True)), asked=before is not None)


def test_pairs_carry_a_running_tally():
    lines = shown(
        EDIT, *(pair(*two, seed=TASK.seed + n) for n, two in enumerate([(0, 1), (1, 0), (1, 1), (0, None)]))
    ).splitlines()
    tallies = [line[line.index("(") :] for line in lines[1:]]
    assert tallies == [
        "(1 won, 0 lost, 0 tied)",
        "(1 won, 1 lost, 0 tied)",
        "(1 won, 1 lost, 1 tied)",
        "(1 won, 1 lost, 1 tied, 1 dropped)",
    ]


def test_a_pair_that_was_in_vain_and_is_made_up_for_counts_once():
    out = shown(EDIT, pair(None, 0), pair(None, 0, seed=TASK.seed + 1), pair(1, 0), pair(0, 0, seed=TASK.seed + 1))
    assert [" ".join(line.split()) for line in out.splitlines()[1:]] == [
        "pair 1 corridor/press@1000000 0 in vain (0 won, 0 lost, 0 tied, 1 in vain)",
        "pair 2 corridor/press@1000001 0 in vain (0 won, 0 lost, 0 tied, 2 in vain)",
        "pair 1 corridor/press@1000000 1 → 0 loss (0 won, 1 lost, 0 tied, 1 in vain)",
        "pair 2 corridor/press@1000001 0 → 0 tie (0 won, 1 lost, 1 tied)",
    ]


def test_a_new_edit_starts_a_new_tally():
    assert shown(EDIT, pair(0, 1), EDIT, pair(0, 1)).count("(1 won, 0 lost, 0 tied)") == 2


def test_replays_on_practice_seeds_are_shown_but_not_counted_with_the_gate_s_pairs():
    out = shown(
        EDIT, pair(0, 0, seed=2), pair(0, 1, seed=3), pair(0, 1), pair(1, 1, seed=TASK.seed + 1), pair(1, 1, seed=4)
    )
    assert [line.split("(")[-1] if "(" in line else line.split()[0] for line in out.splitlines()[1:]] == [
        "source",
        "source",
        "1 won, 0 lost, 0 tied)",
        "1 won, 0 lost, 1 tied)",
        "rehearsal",
    ]
    assert "pair 1 corridor/press@1000000" in out


def test_a_step_says_what_was_acted_on_and_what_went_wrong():
    step = Step(observation=SEEN, action=Action(verb="click", arguments={"ref": "1"}), error="it is covered")
    assert shown(SEEN, step).splitlines()[1] == "    1   click(ref=\"1\") (button 'red') ✗ it is covered"


def test_without_steps_only_goals_verdicts_and_learning_are_shown():
    step = Step(observation=SEEN, action=Action(verb="click", arguments={"ref": "1"}))
    route = Route(skills=((),), insights=((),), demonstrations=((),))
    out = shown(SEEN, route, step, Verdict(score=1.0, by="environment"), steps=False)
    assert [line.split()[0] for line in out.splitlines()] == ["goal", "verdict"]


def test_an_abstaining_route_names_the_nearest():
    near = Ranked(id="log-in", score=0.1, parts={"solved": 0.4, "text": 0.3}, version=2)
    route = Route(skills=((),), insights=((),), demonstrations=((),), considered=((near,),))
    assert "nothing fits (nearest: log-in v2 [solved 0.40, text 0.30])" in shown(route)


def test_a_plan_is_shown_when_there_is_more_than_one_part():
    two = Plan(goal="g", subgoals=(Subgoal(text="open"), Subgoal(text="close")))
    assert shown(two) == "plan    1. open; 2. close\n"
    assert shown(Plan(goal="g")) == ""


def test_a_plan_says_what_skills_it_lacks_to_people_and_programs():
    two = Plan(goal="g", subgoals=(Subgoal(text="open"), Subgoal(text="close", wanted="closing")))
    assert shown(two) == "plan    1. open; 2. close (lacks a skill: closing)\n"
    told = {"event": "plan", "covered": False, "subgoals": ["open", "close"], "wanted": ["closing"]}
    assert words.event_of(two) == told


def test_a_plan_that_is_made_again_is_shown_with_the_reason_and_its_skills():
    plan = Plan(goal="g", subgoals=(Subgoal(text="open", wanted="opening"),))
    route = Route(skills=((Ranked(id="press", score=0.5),),), insights=((),), demonstrations=((),))
    made = Replanned(why="it is shut", plan=plan, route=route)
    assert [" ".join(line.split()) for line in shown(made).splitlines()] == [
        "again it is shut: 1. open (lacks a skill: opening)",
        "route press [0.50]",
    ]
    told = words.event_of(made)
    assert (told["event"], told["why"], told["subgoals"], told["wanted"]) == (
        "replan",
        "it is shut",
        ["open"],
        ["opening"],
    )
    assert [one["id"] for one in told["skills"]] == ["press"]
    assert shown(made, steps=False) == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_text_of_a_page_cannot_command_the_terminal(terminal):
    out = shown(Observation(goal="press \x1b[2J\x1b]0;owned\x07 [red]x[/red]", text=""), terminal=terminal)
    line = next(line for line in out.splitlines() if "goal" in line)
    assert "\x1b[2J" not in out
    assert "\x1b]0;" not in out
    assert "[red]x[/red]" in line


def test_on_a_terminal_a_line_says_what_is_under_way():
    assert "gate: replaying pair 1 of at most 8" in shown(
        EDIT, Verdict(score=1, by="state"), EDIT, terminal=True, most=8
    )


@pytest.mark.parametrize(
    ("accepted", "reason", "pairs", "expected"),
    [
        (True, "accepted: it helps", (pair(0, 1),), "accepted: it helps, p ≤ 0.5"),
        (True, "accepted: as good and cheaper", (pair(1, 1),), "accepted: as good and cheaper"),
        (False, "refused: no clear lift", (pair(1, 1),), "refused: no clear lift, p ≤ 0.5"),
        (True, "accepted: a person's decision", (), "accepted: a person's decision"),
    ],
)
def test_the_chance_of_luck_is_told_where_the_decision_rests_on_it(accepted, reason, pairs, expected):
    assert (
        words.of_decision(Decision(edit=EDIT, accepted=accepted, reason=reason, pairs=pairs, p_value=0.5)) == expected
    )


def test_json_lines_leave_out_nothing_that_was_decided():
    written = []
    lines = Lines(written.append)
    decision = Decision(edit=EDIT, accepted=True, reason="accepted: it helps", pairs=(pair(0, 1),), p_value=0.5)
    lines(decision)
    assert written[0]["event"] == "decision"
    assert (written[0]["wins"], written[0]["losses"], written[0]["p_value"]) == (1, 0, 0.5)
    assert lines.decisions == [decision]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\x1bb", "a\ufffdb"), ("a\nb\tc", "a\nb\tc"), ("naïve – ok", "naïve – ok"), ("\u202eevil", "\ufffdevil")],  # noqa: RUF001
)
def test_clean_keeps_text_and_drops_commands(text, expected):
    assert clean(text) == expected


def test_shorten_makes_one_line_of_at_most_the_width():
    assert shorten("a  b\nc", 10) == "a b c"
    assert shorten("abcdef", 4) == "abc…"


def test_a_table_is_aligned_and_keeps_rows_on_one_line():
    assert table(["a", "b"], [["xx", "y\nz"], ["x", "w"]]) == "a   b\nxx  y z\nx   w"


def test_what_chance_came_to_is_a_line_and_an_event():
    found, vain = (Wandered(task=TASK, tries=7, steps=steps, seconds=2.4) for steps in (3, None))
    lines = shown(found, vain).splitlines()
    assert " ".join(lines[0].split()) == "chance seed 1000000: solved, steps: 3; tries without the model: 7, 2 s"
    assert "not solved; tries" in lines[1]
    told = {"event": "wandered", "task": "corridor/press", "seed": 1_000_000, "tries": 7, "steps": 3, "seconds": 2.4}
    assert words.event_of(found) == told


def test_what_mending_came_to_is_a_line_and_an_event():
    found, vain = (Mended(task=TASK, rounds=2, steps=steps) for steps in (3, None))
    lines = shown(found, vain).splitlines()
    assert " ".join(lines[0].split()) == "mended seed 1000000: solved, steps: 3; rounds: 2"
    assert "not solved; rounds: 2" in lines[1]
    assert "rounds: 2, refused before they were done: 1" in shown(found.model_copy(update={"refused": 1}))
    assert words.event_of(found) == {
        "event": "mended",
        "task": "corridor/press",
        "seed": 1_000_000,
        "rounds": 2,
        "steps": 3,
        "refused": 0,
    }
