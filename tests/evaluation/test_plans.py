"""Plan quality: order matters, and each score has a known answer."""

import pytest

from skillagent.evaluation.plans import matched_prefix, ordered_matching, plan_scores


@pytest.mark.parametrize(
    ("predicted", "reference", "exact", "prefix", "final", "matched"),
    [
        ("abc", "abc", 1, 1, 1, 1),
        ("abd", "abc", 0, 2 / 3, 0, 2 / 3),
        ("xbc", "abc", 0, 0, 1, 2 / 3),
        ("cba", "abc", 0, 0, 0, 1 / 3),
        ("abcc", "abc", 0, 1, 1, 6 / 7),
        ("", "abc", 0, 0, 0, 0),
        ("a", "", 0, 0, 0, 0),
        ("", "", 1, 1, 1, 1),
    ],
)
def test_scores_worked_by_hand(predicted, reference, exact, prefix, final, matched):
    found = plan_scores(predicted, reference)
    assert (found.exact, found.prefix, found.final, found.matched) == pytest.approx((exact, prefix, final, matched))


def test_the_world_may_say_whether_the_end_was_reached():
    assert plan_scores("ab", "abc", final=True).final == 1


def test_a_matching_never_crosses_and_takes_the_most_similar():
    assert ordered_matching("ab", "ba") == 1
    near = {("grasp cup", "grasp mug"): 0.8, ("grasp cup", "place mug"): 0.1, ("place cup", "place mug"): 0.9}
    found = ordered_matching(["grasp cup", "place cup"], ["grasp mug", "place mug"], lambda a, b: near.get((a, b), 0.0))
    assert found == pytest.approx(1.7)
    assert matched_prefix("abx", "aby") == 2
