"""Meter and budgets."""

from dataclasses import dataclass

import pytest

from skillagent.errors import BudgetSpent, LLMUnavailable
from skillagent.llm.cache import Cached
from skillagent.llm.cascade import Cascade
from skillagent.llm.cassette import Player, Recorder
from skillagent.llm.meter import Budget, Meter, Metered
from skillagent.ports import readable, tokens, window
from skillagent.schema import Message, Reply, Role, Usage

ASK = [Message.user("What next?")]
ONE = Usage(calls=1, tokens_in=90, tokens_out=10, cost_usd=0.25, seconds=2.0)


@dataclass
class Model:
    """Always the same answer at the same price, or a failure."""

    name: str = "fixed"
    fails: bool = False
    calls: int = 0

    def reply(self, messages, *, role, schema=None, temperature=0.0, seed=0, max_tokens=512):
        self.calls += 1
        if self.fails:
            raise LLMUnavailable("down")
        return Reply(text="ok", usage=ONE)


def test_what_is_spent_is_counted_by_who_asked_and_can_be_told_apart_in_time():
    meter = Meter()
    model = Metered(Model(), meter)

    model.reply(ASK, role=Role.ACTOR)
    before = meter.total
    model.reply(ASK, role=Role.JUDGE)
    model.reply(ASK, role=Role.JUDGE)

    assert meter.by_role == {Role.ACTOR: ONE, Role.JUDGE: ONE + ONE}
    assert meter.total - before == ONE + ONE


@pytest.mark.parametrize(
    ("budget", "allowed"),
    [
        pytest.param(Budget(), 9, id="no limit"),
        pytest.param(Budget(tokens=200), 2, id="tokens, met exactly"),
        pytest.param(Budget(tokens=201), 3, id="tokens, crossed by the last call"),
        pytest.param(Budget(cost_usd=0.5), 2, id="money"),
        pytest.param(Budget(seconds=3.9), 2, id="seconds"),
        pytest.param(Budget(tokens=0), 0, id="nothing at all"),
    ],
)
def test_a_budget_refuses_the_call_after_the_one_that_spent_it(budget, allowed):
    inner = Model()
    model = Metered(inner, Meter(), budget)

    done = 0
    try:
        while done < 9:
            model.reply(ASK, role=Role.ACTOR)
            done += 1
    except BudgetSpent:
        pass

    assert (done, inner.calls) == (allowed, allowed), "a refused call does not reach the model"


def test_two_models_on_one_meter_share_what_is_spent():
    meter = Meter()
    Metered(Model(), meter).reply(ASK, role=Role.ACTOR)

    with pytest.raises(BudgetSpent, match="100 of 100 tokens are spent"):
        Metered(Model(), meter, Budget(tokens=100)).reply(ASK, role=Role.JUDGE)


def test_a_call_that_fails_counts_with_the_time_it_took():
    meter, times = Meter(), iter([10.0, 14.5])

    with pytest.raises(LLMUnavailable):
        Metered(Model(fails=True), meter, clock=lambda: next(times)).reply(ASK, role=Role.ACTOR)

    assert meter.total == Usage(calls=1, seconds=4.5)


def test_closing_reaches_the_model_through_its_wrappers_and_is_not_asked_of_every_model(tmp_path):
    class Holding(Model):
        closed = 0

        def close(self):
            self.closed += 1

    inner = Holding()

    Metered(Cached(inner, tmp_path), Meter()).close()
    Metered(Cached(Model(), tmp_path), Meter()).close()

    assert inner.closed == 1


class Telling(Model):
    """Counts words, and knows what it can read."""

    def __init__(self, name="telling", reads=3_000):
        super().__init__(name)
        self.reads = reads

    def tokens(self, text):
        return len(text.split()) if text else None

    def window(self):
        return self.reads


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(lambda model, path: Metered(model, Meter(), context=9_000), id="meter"),
        pytest.param(lambda model, path: Cached(model, path), id="cache"),
        pytest.param(lambda model, path: Cascade(Model(), model), id="a student that does not tell"),
        pytest.param(lambda model, path: Cascade(Telling(reads=5_000), model), id="a student that reads more"),
    ],
)
def test_who_asks_a_wrapped_model_what_it_reads_is_told_what_the_model_tells(wrapped, tmp_path):
    model = wrapped(Telling(), tmp_path)
    assert (tokens(model, "one two"), window(model)) == (2, 3_000)


def test_what_a_model_does_not_tell_is_guessed():
    assert tokens(Model(), "a" * 23) == 11, "of 2.2 characters each, rounded up"
    assert tokens(Metered(Telling(), Meter()), "") == 0
    assert window(Metered(Model(), Meter())) is None
    assert window(Metered(Model(), Meter(), context=9_000)) == 9_000
    assert window(Metered(Telling(reads=200_000), Meter(), context=9_000)) == 9_000, "what was set limits it"
    assert window(Cascade(Telling(reads=2_000), Telling())) == 2_000, "both have to read it"
    assert window(Cascade(Telling(), Model())) is None


def test_what_is_recorded_is_asked_as_its_player_is_asked_so_neither_tells_what_the_model_can_read(tmp_path):
    for model in (Recorder(Telling(), tmp_path / "tape"), Player(tmp_path / "tape", name="telling")):
        assert (tokens(model, "one two"), window(model), readable(model, 12_000)) == (4, None, 12_000)


@pytest.mark.parametrize(
    ("model", "room"),
    [
        pytest.param(Telling(reads=4_096), 8_131, id="2.2 characters for each token that the reply leaves"),
        pytest.param(Telling(reads=200_000), 12_000, id="it could read more"),
        pytest.param(Telling(reads=300), 0, id="not even its reply"),
        pytest.param(Model(), 12_000, id="it does not say"),
    ],
)
def test_the_room_is_what_the_model_can_read_beside_its_reply(model, room):
    assert readable(model, 12_000) == room
