"""Refine: a new condition is kept only where replayed retrieval is better, and nothing else moves."""

from skillagent.errors import PromptTooLong
from skillagent.learning.refine import goals_of, hits, recent_goals, refine, refined, steadiness
from skillagent.library import Library
from skillagent.routing.catalogue import Catalogue
from skillagent.routing.route import Thresholds, route
from skillagent.schema import Attempted, Condition, Decided, Event, Insight, Label, Labelled, Plan, Task
from skillagent.testing import HashEmbedder, ScriptedLLM

DATE = Insight(
    id="date",
    taxonomy="x/form/date",
    kind="pitfall",
    condition=Condition(applies="When something is typed into the form"),
    explanation="month first",
)
LIMITS = Thresholds(insight=0.3)
RIGHT = "type the date of birth into the form"
WRONG = "type the name of the owner into the form"
WIDE = {"applies": "When anything is done", "does_not_apply": ""}


def shown(goal, library):
    routed = route(Plan(goal=goal), library, catalogue=Catalogue(HashEmbedder()), thresholds=LIMITS)
    return [one.id for one in routed.insights[0]]


def events(*said):
    entries = [
        Labelled(attempt=f"x{n}", task=Task(env="x", name="a"), goal=goal, labels=labels)
        for n, (goal, labels) in enumerate(said)
    ]
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def attempted(*goals, seed=0):
    entries = [Attempted(attempt=f"y{n}", task=Task(env="x", name="a", seed=seed), goal=g) for n, g in enumerate(goals)]
    return [Event(seq=n, at="", library="", entry=entry) for n, entry in enumerate(entries)]


def held(*insights):
    return Library(insights={one.id: one for one in insights})


KNOWN = events((RIGHT, {"date": Label.POSITIVE}), (WRONG, {"date": Label.NEGATIVE}))


def test_the_latest_word_on_a_goal_counts():
    said = events(
        ("a", {"date": Label.NEGATIVE}),
        ("a", {"date": Label.POSITIVE}),
        ("b", {"date": Label.UNRETRIEVED}),
        ("c", {"date": Label.IRRELEVANT, "other": Label.POSITIVE}),
        ("d", {"date": Label.INVALID}),
    )
    goals = goals_of("date", said)
    assert goals.right == ("a", "b")
    assert goals.wrong == ("c", "d")


def test_not_to_be_followed_counts_against_a_condition_only_where_the_insight_helps_elsewhere():
    ignored = ("d", {"date": Label.INVALID})
    assert goals_of("date", events(ignored)).wrong == ()
    assert goals_of("date", events(ignored, ("a", {"date": Label.NEGATIVE}))).wrong == ("a",)
    assert goals_of("date", events(ignored, ("a", {"date": Label.POSITIVE}))).wrong == ("d",)


def test_a_condition_that_is_too_wide_gets_an_exception():
    library = held(DATE)
    assert hits(DATE, goals_of("date", KNOWN), library, shown) == 0.5
    decision = refine(DATE, library, KNOWN, shown, llm=ScriptedLLM(lambda messages, role: "no idea"))
    assert decision.accepted
    better = decision.edit.changes[0].insight
    assert "owner" in better.condition.does_not_apply
    assert hits(better, goals_of("date", KNOWN), library, shown) == 1.0
    assert library.apply(decision.edit).insights["date"] == better
    assert better.model_copy(update={"condition": DATE.condition}) == DATE


def test_a_condition_that_is_too_narrow_is_widened_by_the_models_words_where_those_do_better():
    narrow = DATE.model_copy(update={"condition": Condition(applies="When nothing")})
    missed = events((RIGHT, {"date": Label.UNRETRIEVED}))
    model = ScriptedLLM(lambda messages, role: {"applies": "When the date of birth", "does_not_apply": ""})
    decision = refine(narrow, held(narrow), missed, shown, llm=model)
    assert decision.accepted
    assert "date" in shown(RIGHT, held(decision.edit.changes[0].insight))
    assert "<wrong>\n(none is known)" in model.asked[0][1][-1].content


def test_what_is_right_already_or_of_which_nothing_is_known_is_left_alone_and_costs_nothing():
    model = ScriptedLLM([])
    assert refine(DATE, held(DATE), [], shown, llm=model) is None
    assert refine(DATE, held(DATE), events((RIGHT, {"date": Label.POSITIVE})), shown, llm=model) is None
    assert model.asked == []


def test_no_better_wording_is_a_refusal_that_names_the_tries():
    both = events((RIGHT, {"date": Label.POSITIVE}), (f"{RIGHT} now", {"date": Label.POSITIVE}))
    deaf = lambda goal, library: []  # noqa: E731
    model = ScriptedLLM(lambda messages, role: {"applies": "When", "does_not_apply": ""})
    decision = refine(DATE, held(DATE), both, deaf, llm=model)
    assert not decision.accepted
    assert decision.reason == "refused: no wording of 3 does better"


def test_a_condition_that_moves_what_other_goals_are_shown_is_refused():
    def crowding(goal, library):  # once its condition is reworded, it takes the other's place everywhere
        changed = library.insights["date"].condition != DATE.condition
        return ["date"] if (goal != WRONG if changed else goal in (RIGHT, WRONG)) else ["other"]

    other = DATE.model_copy(update={"id": "other"})
    said = [*KNOWN, *events(("pay the bill", {"other": Label.POSITIVE}))]
    decision = refine(DATE, held(DATE, other), said, crowding, llm=ScriptedLLM(lambda messages, role: "none"))
    assert not decision.accepted
    assert decision.reason == (
        "refused: other goals would be shown other insights with each of 2 better wordings (at best 0% the same)"
    )
    tried = [*KNOWN, *attempted("pay the bill")]
    decision = refine(DATE, held(DATE, other), tried, crowding, llm=ScriptedLLM(lambda messages, role: WIDE))
    assert not decision.accepted, "a goal that was only tried counts like one that was asked about"


def test_where_the_best_wording_moves_other_goals_the_next_one_that_beats_todays_is_taken():
    goals = [RIGHT, f"{RIGHT} now", f"{RIGHT} again"]

    def crowding(goal, library):  # the widest wording does best, and is shown everywhere
        wide = library.insights["date"].condition.applies == WIDE["applies"]
        return ["date"] if goal in goals[: 3 if wide else 2] or (wide and goal == "pay the bill") else []

    known = events(*((goal, {"date": Label.POSITIVE}) for goal in goals))
    narrow = lambda goal, library: crowding(goal, library) if library.insights["date"] != DATE else []  # noqa: E731
    model = ScriptedLLM(lambda messages, role: WIDE)
    decision = refine(DATE, held(DATE), [*known, *attempted("pay the bill")], narrow, llm=model)
    assert decision.accepted
    assert decision.reason == "accepted: 67% with the new condition"
    assert decision.edit.changes[0].insight.condition.applies != WIDE["applies"]
    free = refine(DATE, held(DATE), known, narrow, llm=model)
    assert free.edit.changes[0].insight.condition.applies == WIDE["applies"]


def test_goals_of_a_labelled_shape_are_meant_to_change_and_do_not_hold_a_wording_back():
    quoted = [f'write "{word}" on the board' for word in ("one", "two", "three")]

    def everywhere(goal, library):  # until an exception says otherwise
        return [] if library.insights["date"].condition.does_not_apply else ["date"]

    said = events((quoted[0], {"date": Label.NEGATIVE}))
    model = ScriptedLLM(lambda messages, role: "no idea")
    assert refine(DATE, held(DATE), [*said, *attempted(*quoted[1:])], everywhere, llm=model).accepted
    other = attempted("pay the bill")
    assert not refine(DATE, held(DATE), [*said, *other], everywhere, llm=model).accepted


def test_a_goal_that_is_no_use_is_an_exception_by_itself_too():
    goals = ["pay the bill", "call the office"]

    def blurred(goal, library):  # an exception of several goals is near to none of them
        exception = library.insights["date"].condition.does_not_apply
        return ["date"] if " / " in exception or not exception or "bill" in exception else []

    known = events(*((goal, {"date": Label.IRRELEVANT}) for goal in goals))
    decision = refine(DATE, held(DATE), known, blurred, llm=ScriptedLLM(lambda messages, role: "no idea"))
    assert decision.accepted
    assert decision.edit.changes[0].insight.condition.does_not_apply == "When the goal is like: call the office"


def test_no_wording_that_does_no_better_is_taken_because_it_moves_nothing():
    def crowding(goal, library):
        wide = library.insights["date"].condition.applies == WIDE["applies"]
        return ["date"] if wide else []

    said = [*events((RIGHT, {"date": Label.POSITIVE})), *attempted("pay the bill")]
    decision = refine(DATE, held(DATE), said, crowding, llm=ScriptedLLM(lambda messages, role: WIDE))
    assert not decision.accepted
    assert decision.reason == (
        "refused: other goals would be shown other insights with the better wording (at best 0% the same)"
    )
    assert decision.edit.changes[0].insight.condition.applies == WIDE["applies"]


def test_steadiness_is_the_share_that_stays_where_anything_is_shown():
    one, two = held(DATE), held()
    assert steadiness(one, two, lambda goal, library: ["a", *library.insights], ["g", "h"]) == 0.5
    assert steadiness(one, two, lambda goal, library: ["a", *library.insights] if goal == "g" else [], "gh") == 0.5
    assert steadiness(one, two, lambda goal, library: [], ["g"]) == 1.0
    assert steadiness(one, two, lambda goal, library: [], []) == 1.0


def test_the_latest_goals_are_told_once_each_and_those_of_holdout_seeds_never():
    said = [*attempted("a", "b", "a", ""), *events(("c", {})), *attempted("secret", seed=2_000_000)]
    assert recent_goals(said) == ["c", "a", "b"]
    assert recent_goals(attempted(*(str(n) for n in range(60)))) == [str(n) for n in range(59, 9, -1)]


def test_what_was_refused_for_these_very_goals_is_not_asked_again():
    both = events((RIGHT, {"date": Label.POSITIVE}), (f"{RIGHT} now", {"date": Label.POSITIVE}))
    deaf = lambda goal, library: []  # noqa: E731
    model = ScriptedLLM(lambda messages, role: {"applies": "When", "does_not_apply": ""})
    refusal = refine(DATE, held(DATE), both, deaf, llm=model)
    asked = len(model.asked)
    history = [*both, Event(seq=9, at="", library="", entry=Decided(decision=refusal))]
    assert refine(DATE, held(DATE), history, deaf, llm=model) is None
    assert len(model.asked) == asked
    more = [*history, *events(("type the day of birth", {"date": Label.POSITIVE}))]
    assert refine(DATE, held(DATE), more, deaf, llm=model) is not None


def test_what_was_accepted_once_is_proposed_again_where_the_condition_is_what_it_was():
    model = ScriptedLLM(lambda messages, role: "no idea")
    accepted = refine(DATE, held(DATE), KNOWN, shown, llm=model)
    assert accepted.accepted
    history = [*KNOWN, Event(seq=9, at="", library="", entry=Decided(decision=accepted))]
    assert refine(DATE, held(DATE), history, shown, llm=model) == accepted


def test_every_insight_that_is_not_pinned_is_looked_at():
    model = ScriptedLLM(lambda messages, role: "no idea")
    decision = refine(DATE, held(DATE), KNOWN, shown, llm=model)
    assert list(refined(held(DATE), KNOWN, shown, llm=model)) == [decision]
    assert list(refined(held(DATE), [], shown, llm=model)) == []
    assert list(refined(held(DATE.model_copy(update={"pinned": True})), KNOWN, shown, llm=model)) == []


def test_a_refusal_for_what_other_goals_are_shown_stands_as_long_as_those_would_be_moved():
    goals = [RIGHT, f"{RIGHT} now"]

    def crowding(goal, library):  # once its condition is reworded, it is shown for all but the office
        changed = library.insights["date"] != DATE
        return ["date"] if changed and goal != "call the office" else ["other"]

    known = events(*((goal, {"date": Label.POSITIVE}) for goal in goals))
    model = ScriptedLLM(lambda messages, role: WIDE)
    other = DATE.model_copy(update={"id": "other"})
    refusal = refine(DATE, held(DATE, other), [*known, *attempted("pay the bill")], crowding, llm=model)
    assert (refusal.accepted, refusal.final) == (False, False)
    said = Event(seq=9, at="", library="", entry=Decided(decision=refusal))
    asked = len(model.asked)
    for goal in ("pay the bill", "pay the rent"):
        assert refine(DATE, held(DATE, other), [*known, *attempted(goal), said], crowding, llm=model) is None
    assert len(model.asked) == asked
    assert refine(DATE, held(DATE, other), [*known, *attempted("call the office"), said], crowding, llm=model).accepted


def test_a_prompt_that_does_not_fit_leaves_the_condition_as_it_is():
    def full(messages, role):
        raise PromptTooLong("no room")

    assert refine(DATE, held(DATE), KNOWN, shown, llm=ScriptedLLM(full)) is None
