"""The ledger: what is acknowledged stays, what is torn is cut off, and everything can be put back from it alone."""

import pytest

from skillagent.errors import LibraryError, NotFound
from skillagent.library import Library
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Edit,
    Event,
    Insight,
    PutInsight,
    PutSkill,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
    Task,
)
from skillagent.store.ledger import Ledger, Tally, goals, outcomes, refused, rollback, solved, versions


def event(seq, entry):
    return Event(seq=seq, at="2026-01-01T00:00:00.000Z", library="0" * 16, entry=entry)


def attempted(seq=0, *, shown=("log-in",), score=1.0, void=None, seed=0, name="log-in", goal="Log in."):
    task = Task(env="miniwob", name=name, seed=seed)
    return event(seq, Attempted(attempt="a", task=task, goal=goal, shown=shown, score=score, void=void))


def skill(version, body="x"):
    return Skill(name="log-in", description="D", body=body, version=version)


def accepted(seq, change, undo):
    edit = Edit(changes=(change,), why="because")
    return event(seq, Decided(decision=Decision(edit=edit, accepted=True, reason="lift"), replaced=(undo,)))


def refusal(seq, change, reason="no lift"):
    edit = Edit(changes=(change,), why="because")
    return event(seq, Decided(decision=Decision(edit=edit, accepted=False, reason=reason)))


def after(events):
    """The library that the accepted changes lead to, and its events."""
    library = Library()
    for one in events:
        for change in getattr(one.entry, "changes", ()) or one.entry.decision.edit.changes:
            library = library.with_change(change)
    return library


CREATED = accepted(0, PutSkill(skill=skill(1, "one")), RetireSkill(name="log-in", base=1))
REVISED = accepted(1, PutSkill(skill=skill(2, "two"), base=1), PutSkill(skill=skill(1, "one"), base=2))
RETIRED = accepted(2, RetireSkill(name="log-in", base=2), PutSkill(skill=skill(2, "two")))


# ── The file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_are_read_back_in_order_by_a_reader_that_was_there_before_them(tmp_path):
    writer, reader = Ledger(tmp_path / "ledger.jsonl"), Ledger(tmp_path / "ledger.jsonl")
    assert reader.events() == []

    writer.append(attempted(0, goal="line\u2028separator"))
    assert [one.seq for one in reader.events()] == [0]
    writer.append(attempted(1))

    assert reader.events() == [attempted(0, goal="line\u2028separator"), attempted(1)]


@pytest.mark.parametrize("torn", [b'{"v":1,"se', b'{"v":1,"se\n', b"\0\0\0\0", attempted(1).model_dump_json().encode()])
def test_a_torn_last_line_is_not_counted_and_the_next_append_cuts_it_off(tmp_path, caplog, torn):
    path = tmp_path / "ledger.jsonl"
    Ledger(path).append(attempted(0))
    path.write_bytes(path.read_bytes() + torn)
    early = Ledger(path)
    assert early.events() == [attempted(0)]

    Ledger(path).append(attempted(1, goal="after the crash"))

    assert f"dropped {len(torn)} bytes" in caplog.text
    expected = [attempted(0), attempted(1, goal="after the crash")]
    assert Ledger(path).events() == expected
    assert early.events() == expected
    assert path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param(b"{broken", "not an event", id="damaged"),
        pytest.param(attempted(1).model_dump_json().replace('"v":1', '"v":2').encode(), "upgrade", id="newer"),
    ],
)
def test_a_bad_line_in_the_middle_is_an_error_that_names_the_line(tmp_path, line, why):
    path = tmp_path / "ledger.jsonl"
    good = attempted(0).model_dump_json().encode()
    path.write_bytes(b"\n".join([good, line, good, b""]))

    with pytest.raises(LibraryError, match=rf"ledger\.jsonl: line 2: .*{why}"):
        Ledger(path).events()


def test_a_last_event_of_a_newer_version_is_never_taken_for_a_torn_line(tmp_path):
    path = tmp_path / "ledger.jsonl"
    content = attempted(0).model_dump_json().replace('"v":1', '"v":2').encode() + b"\n"
    path.write_bytes(content)

    with pytest.raises(LibraryError, match="line 1"):
        Ledger(path).append(attempted(1))
    assert path.read_bytes() == content


# ── Folds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_versions_tell_what_each_change_of_a_skill_replaced():
    other = accepted(
        3, PutSkill(skill=Skill(name="other", description="D", body="x")), RetireSkill(name="other", base=1)
    )

    found = versions([CREATED, other, REVISED, RETIRED, refusal(4, PutSkill(skill=skill(9), base=2))], "log-in")

    assert [(v.version, v.before and v.before.body, v.after and v.after.body) for v in found] == [
        (1, None, "one"),
        (2, "one", "two"),
        (2, "two", None),
    ]
    assert found[1].event is REVISED


def test_refusals_are_remembered_by_what_would_have_changed_until_it_is_accepted():
    change = PutSkill(skill=skill(2), base=1)
    identity = Edit(changes=(change,), why="another reason").identity

    assert refused([refusal(0, change, "first"), refusal(1, change, "last")])[identity].decision.reason == "last"
    assert refused([refusal(0, change), accepted(1, change, RetireSkill(name="log-in", base=2))]) == {}


def test_solved_and_goals_name_each_success_once_and_never_one_on_a_holdout_seed():
    events = [
        attempted(0, shown=("a", "b")),
        attempted(1, shown=("a",)),
        attempted(2, shown=("a",), seed=1, goal="Log in as Ann."),
        attempted(3, shown=("a",), score=0.9, name="half"),
        attempted(4, shown=("a",), void="crash", name="void"),
        attempted(5, shown=("a",), score=None, name="unscored"),
        attempted(6, shown=("a",), seed=2_000_000, goal="Secret."),
    ]

    first, second = Task(env="miniwob", name="log-in"), Task(env="miniwob", name="log-in", seed=1)
    assert solved(events) == {"a": (first, second), "b": (first,)}
    assert goals(events) == {"a": ("Log in.", "Log in as Ann."), "b": ("Log in.",)}


def test_outcomes_count_scored_attempts_only():
    events = [
        attempted(0, shown=("a", "b")),
        attempted(1, shown=("a",), score=0.5),
        attempted(2, shown=("a",), score=None),
        attempted(3, shown=("a",), void="browser crash"),
    ]

    assert outcomes(events) == {"a": Tally(uses=2, successes=1), "b": Tally(uses=1, successes=1)}


# ── Undo ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("history", "version", "expected"),
    [
        pytest.param([CREATED], None, RetireSkill(name="log-in", base=1), id="a creation"),
        pytest.param([CREATED, REVISED], None, PutSkill(skill=skill(3, "one"), base=2), id="a revision"),
        pytest.param([CREATED, REVISED], 2, PutSkill(skill=skill(3, "two"), base=2), id="to the current version"),
        pytest.param([CREATED, REVISED, RETIRED], None, PutSkill(skill=skill(3, "two")), id="a retirement"),
        pytest.param([CREATED, REVISED, RETIRED], 1, PutSkill(skill=skill(3, "one")), id="an old version of a retired"),
    ],
)
def test_rollback_puts_contents_back_as_a_new_version(history, version, expected):
    library = after(history)

    entry = rollback(library, history, "log-in", version, why="undo")

    assert entry == RolledBack(changes=(expected,), why="undo")
    library.with_change(entry.changes[0])


def test_a_version_that_was_edited_by_hand_can_be_put_back():
    by_hand = skill(1, "mended by hand")
    revised = accepted(1, PutSkill(skill=skill(2, "two"), base=1), PutSkill(skill=by_hand, base=2))

    entry = rollback(after([CREATED, revised]), [CREATED, revised], "log-in", 1)

    assert entry.changes[0].skill.body == "mended by hand"


def test_the_new_version_is_above_every_version_that_ever_was():
    events = [
        CREATED,
        REVISED,
        RETIRED,
        accepted(3, PutSkill(skill=skill(1, "again")), RetireSkill(name="log-in", base=1)),
    ]

    entry = rollback(Library(skills={"log-in": skill(1, "again")}), events, "log-in", 2)

    assert entry.changes == (PutSkill(skill=skill(3, "two"), base=1),)


@pytest.mark.parametrize(
    ("name", "version", "problem"),
    [
        ("nothing", None, "no earlier state of 'nothing'"),
        ("nothing", 2, "only skills have versions"),
        ("log-in", 7, "no version 7 in the ledger; it has 1, 2"),
        ("seed", None, "the ledger holds no change"),
    ],
)
def test_rollback_to_what_never_was_is_refused(name, version, problem):
    library = Library(skills={"log-in": skill(2), "seed": Skill(name="seed", description="D", body="x")})

    with pytest.raises(NotFound, match=problem):
        rollback(library, [CREATED, REVISED], name, version)


def test_an_insight_goes_back_to_its_text_before_the_last_change():
    old = Insight(id="i", taxonomy="a/b/c", kind="pitfall", condition=Condition(applies="x"), explanation="old")
    new = old.model_copy(update={"explanation": "new"})
    changed = accepted(0, PutInsight(insight=new, base=old.digest), PutInsight(insight=old, base=new.digest))
    retired = accepted(1, RetireInsight(id="i"), PutInsight(insight=new))

    assert rollback(Library(insights={"i": new}), [changed], "i").changes == (PutInsight(insight=old, base=new.digest),)
    assert rollback(Library(), [changed, retired], "i").changes == (PutInsight(insight=new),)
