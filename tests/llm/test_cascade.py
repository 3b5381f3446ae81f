"""Cascade: a student's drafts are taken where they agree, and what both cost is counted."""

import pytest

from skillagent.errors import LLMUnavailable, PromptTooLong
from skillagent.llm.cache import Cached
from skillagent.llm.cascade import HEAT, Cascade, canonical
from skillagent.llm.meter import Meter, Metered
from skillagent.schema import Message, Reply, Role, Usage

ASK = [Message.user("what now?")]
SCHEMA = {"type": "object"}


STUDENT_COST = Usage(calls=1, tokens_in=10, seconds=1.0, cost_usd=0.1)
TEACHER_COST = Usage(calls=1, tokens_in=10, seconds=5.0)


class Model:
    """Gives its answers in turn; each call costs what `cost` says."""

    def __init__(self, name, *answers, cost=STUDENT_COST):
        self.name, self.answers, self.cost, self.asked, self.closed = name, list(answers), cost, [], False

    def reply(self, messages, *, role, schema=None, temperature=0.0, seed=0, max_tokens=512):
        self.asked.append((temperature, seed))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Reply(text=str(answer), data=answer, usage=self.cost)

    def close(self):
        self.closed = True


def click(ref):
    return {"verb": "click", "ref": ref}


def pair(*drafts, teacher=None, **options):
    student = Model("small", *drafts)
    teacher = Model("large", *(teacher or [click("teacher's")]), cost=TEACHER_COST)
    return student, teacher, Cascade(student, teacher, **options)


def test_drafts_that_agree_are_taken_and_the_teacher_is_not_asked():
    student, teacher, cascade = pair(click("a "), {"ref": "a", "verb": "click"}, click("a"))
    reply = cascade.reply(ASK, role=Role.ACTOR, schema=SCHEMA, seed=5)
    assert reply.data == click("a ")
    assert teacher.asked == []
    assert [heat for heat, _ in student.asked] == [0.0, HEAT, HEAT]
    assert len({seed for _, seed in student.asked}) == 3
    assert (reply.usage.calls, reply.usage.drafted, reply.usage.agreed) == (3, 1, 1)
    assert reply.usage.draft_seconds == reply.usage.seconds == 3.0
    assert reply.usage.draft_usd == pytest.approx(0.3)


def test_the_first_draft_that_differs_ends_the_drafting_and_the_teacher_decides():
    student, teacher, cascade = pair(click("a"), click("b"), click("a"))
    reply = cascade.reply(ASK, role=Role.ACTOR, schema=SCHEMA)
    assert reply.data == click("teacher's")
    assert len(student.asked) == 2
    assert teacher.asked == [(0.0, 0)]
    assert (reply.usage.calls, reply.usage.drafted, reply.usage.agreed) == (3, 1, 0)
    assert (reply.usage.seconds, reply.usage.draft_seconds, reply.usage.deferred_seconds) == (7.0, 2.0, 5.0)


@pytest.mark.parametrize("draft", [None, PromptTooLong("no room")])
def test_a_draft_without_form_or_room_is_no_draft(draft):
    _, teacher, cascade = pair(draft)
    assert cascade.reply(ASK, role=Role.ACTOR, schema=SCHEMA).data == click("teacher's")
    assert len(teacher.asked) == 1


def test_only_actions_are_drafted():
    student, _, cascade = pair(teacher=[{"plan": 1}, None])
    cascade.reply(ASK, role=Role.PLANNER, schema=SCHEMA)
    cascade.reply(ASK, role=Role.ACTOR)
    assert student.asked == []


def test_a_warm_try_is_drafted_as_warm_as_it_was_asked_for():
    student, _, cascade = pair(click("a"), click("a"), samples=2)
    cascade.reply(ASK, role=Role.ACTOR, schema=SCHEMA, temperature=0.3)
    assert [heat for heat, _ in student.asked] == [0.3, 0.3]


def test_a_student_that_is_down_is_the_worlds_fault():
    _, _, cascade = pair(LLMUnavailable("down"))
    with pytest.raises(LLMUnavailable):
        cascade.reply(ASK, role=Role.ACTOR, schema=SCHEMA)


def test_it_is_metered_named_and_closed_as_one():
    student, teacher, cascade = pair(click("a"), click("a"), click("a"))
    meter = Meter()
    metered = Metered(cascade, meter)
    metered.reply(ASK, role=Role.ACTOR, schema=SCHEMA)
    assert meter.total.agreed == 1
    assert cascade.name == "small then large"
    assert cascade.identity == "small x3 then large"
    metered.close()
    assert student.closed and teacher.closed


def test_no_reply_is_like_no_other():
    assert canonical(None) == canonical({})
    assert canonical({"a": 1, "b": " x "}) == canonical({"b": "x", "a": 1})
    assert canonical({"a": 1}) != canonical({"a": 2})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(click("button Login [3]"), click("Button Login [3]"), True, id="the case of a role"),
        pytest.param(click("button Login [3]"), click("button login [3]"), False, id="the case of a name"),
        pytest.param(click("A [3]"), click("a [3]"), True, id="a role alone"),
        pytest.param(click("E3"), click("e3"), False, id="what is no element as it is written"),
        pytest.param(
            {"verb": "type", "text": "Button x [3]"}, {"verb": "type", "text": "button x [3]"}, False, id="text"
        ),
        pytest.param({"target_ref": "Box Red [b]"}, {"target_ref": "box Red [b]"}, True, id="another ref"),
        pytest.param(
            {"constraints": ["x <= 1 ", {"b": 1, "a": " y"}]},
            {"constraints": ["x <= 1", {"a": "y", "b": 1}]},
            True,
            id="within",
        ),
        pytest.param({"constraints": ["a", "b"]}, {"constraints": ["b", "a"]}, False, id="the order of a list"),
    ],
)
def test_drafts_are_compared_by_what_they_mean(one, other, same):
    assert (canonical(one) == canonical(other)) is same


def test_a_reply_from_the_cache_was_not_drafted_again(tmp_path):
    _, _, cascade = pair(click("a"), click("b"))
    kept = Cached(cascade, tmp_path)
    first, again = (kept.reply(ASK, role=Role.ACTOR, schema=SCHEMA) for _ in range(2))
    assert first.usage.drafted == 1
    usage = again.usage
    assert (usage.drafted, usage.draft_seconds, usage.deferred_seconds, usage.calls) == (0, 0.0, 0.0, 0)
    assert again.data == first.data
