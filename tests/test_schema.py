"""The nouns: splits, sums, and what a value says about itself."""

import pytest
from pydantic import ValidationError

from skillagent.schema import (
    Action,
    Attempt,
    Demonstration,
    Edit,
    KeyStep,
    Observation,
    Pair,
    PutDemonstration,
    PutSkill,
    Ranked,
    Reply,
    Route,
    Score,
    Seconds,
    Skill,
    Split,
    Step,
    Task,
    Trajectory,
    Usage,
    Verb,
    Verdict,
)

TASK = Task(env="e", name="t")


@pytest.mark.parametrize(
    ("seed", "split"),
    [
        (0, Split.PRACTICE),
        (999_999, Split.PRACTICE),
        (1_000_000, Split.GATE),
        (1_999_999, Split.GATE),
        (2_000_000, Split.HOLDOUT),
        (10**9, Split.HOLDOUT),
    ],
)
def test_every_seed_belongs_to_one_split(seed, split):
    assert Task(env="e", name="t", seed=seed).split is split


def test_a_negative_seed_is_refused():
    with pytest.raises(ValidationError):
        Task(env="e", name="t", seed=-1)


def test_values_cannot_be_changed():
    with pytest.raises(ValidationError):
        TASK.seed = 3


def test_usage_adds_and_subtracts_field_by_field():
    one, two = Usage(calls=1, tokens_in=10, seconds=1.5), Usage(calls=2, tokens_in=5, tokens_out=3)
    assert one + two == Usage(calls=3, tokens_in=15, tokens_out=3, seconds=1.5)
    assert (one + two) - two == one


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [(0.0, 1.0, "win"), (1.0, 0.5, "loss"), (1.0, 1.0, "tie"), (None, 1.0, "dropped"), (0.0, None, "dropped")],
)
def test_a_pair_is_read_by_its_two_sides(before, after, outcome):
    def score(value):
        return None if value is None else Score(value=value)

    assert Pair(task=TASK, before=score(before), after=score(after)).outcome == outcome


def test_equal_actions_print_alike_whatever_the_order_of_their_arguments():
    one = Action(verb="fill", arguments={"ref": "1", "text": "a"})
    two = Action(verb="fill", arguments={"text": "a", "ref": "1"})
    assert str(one) == str(two) == 'fill(ref="1", text="a")'


def test_an_attempt_is_named_by_what_was_done_and_not_by_how_it_was_judged_or_how_long_it_took():
    def tried(verb, score, seconds):
        step = Step(observation=Observation(goal="g", text="t"), action=Action(verb=verb))
        trajectory = Trajectory(task=TASK, goal="g", steps=(step,), seconds=Seconds(total=seconds))
        return Attempt(
            plan=None, route=None, trajectory=trajectory, verdict=Verdict(score=score, by="person"), library="x"
        )

    assert tried("click", 0.0, 1.0).id == tried("click", 1.0, 2.0).id != tried("press", 0.0, 1.0).id


def test_an_edit_is_the_same_whatever_its_evidence():
    def edit(evidence, text):
        demo = Demonstration(
            id="d", domain="e", goal="g", steps=(KeyStep(observation=text, action="a"),), evidence=evidence
        )
        return Edit(changes=(PutDemonstration(demonstration=demo),), why=str(evidence))

    assert edit(("one",), "o").identity == edit(("two",), "o").identity != edit(("one",), "other").identity


def test_an_edit_is_the_same_against_whatever_version_it_is_made():
    def edit(version, base, body="b"):
        skill = Skill(name="s", description="d", body=body, version=version)
        return Edit(changes=(PutSkill(skill=skill, base=base),), why="w")

    assert edit(1, None).identity == edit(2, 1).identity == edit(4, 3).identity != edit(4, 3, "other").identity


HALF = "\ud83d"


def test_what_a_model_says_can_always_be_written():
    reply = Reply(text=f"ok {HALF}", data={"a": [f"{HALF}x", 1], HALF: {"b": "whole \U0001f600"}})
    assert reply.text == "ok \ufffd"
    assert reply.data == {"a": ["\ufffdx", 1], "\ufffd": {"b": "whole \U0001f600"}}
    assert Reply.model_validate_json(reply.model_dump_json()) == reply


def test_half_a_character_has_a_digest_of_its_own():
    one, two = (Skill(name="s", description="d", body=body).digest for body in (HALF, "\ufffd"))
    assert one != two


def test_a_signature_marks_what_may_be_left_out():
    parameters = {"type": "object", "properties": {"ref": {}, "text": {}}, "required": ["ref"]}
    assert Verb(name="press", doc="d", parameters=parameters).signature == "press(ref, text?)"


def test_a_route_names_each_chosen_item_once():
    route = Route(
        skills=((Ranked(id="a", score=1),), (Ranked(id="a", score=1),)),
        insights=((), (Ranked(id="i", score=1),)),
        demonstrations=((), ()),
    )
    assert route.ids == ("a", "i")


def test_a_step_that_was_kept_before_steps_had_a_note_can_still_be_read():
    old = '{"observation": {"goal": "g", "text": "t"}, "action": {"verb": "wait"}, "by": "program"}'
    assert Step.model_validate_json(old).note == ""
