"""Replies: what was done is told in short, for whoever looks at an episode later."""

import pytest

from skillagent.replies import retold
from skillagent.schema import Action, Element, Observation, Step

SEEN = Observation(goal="g", text="t", elements=(Element(ref="3", role="button", name="Login"),))


def step(verb="click", ref="3", **parts):
    return Step(observation=SEEN, action=Action(verb=verb, arguments={"ref": ref}), **parts)


def test_an_action_is_told_by_what_was_seen_with_who_chose_it_and_what_went_wrong():
    question = Step(
        observation=SEEN, action=Action(verb="recall", arguments={"question": "which?"}), recalled="red\none"
    )
    assert retold([step(), step(by="program"), step(ref="9", error="no such element"), question]) == (
        '{"verb":"click","ref":"button Login [3]"}',
        '{"verb":"click","ref":"button Login [3]"} [program]',
        '{"verb":"click","ref":"9"} ✗ no such element',
        '{"verb":"recall","question":"which?"}',
        "was told: red one",
    )


@pytest.mark.parametrize(("steps", "marks"), [(20, 0), (21, 1), (90, 1)])
def test_of_a_long_episode_the_middle_is_left_out(steps, marks):
    lines = retold([step(ref=f"r{n}", error="x" * 500) for n in range(steps)])
    assert len(lines) == 20
    assert {len(line) for line in lines if "lines more" not in line} == {160}
    assert sum("lines more" in line for line in lines) == marks
    assert "r0" in lines[0]
    assert f"r{steps - 1}" in lines[-1]
    if marks:
        assert lines[10] == f"… {steps - 19} lines more"
