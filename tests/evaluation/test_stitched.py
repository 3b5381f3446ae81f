"""What stitched programs are counted as: each way with its interval, beside nothing; what is there is gone on from."""

import json

import pytest
import typer

from evals.stitched import NOTHING, PARTS, main, summed


def test_each_way_is_told_with_its_interval_and_beside_an_empty_library():
    table = {f"t/{n}": {NOTHING: [0, 0], PARTS: [1, 1 if n else 0]} for n in range(4)}
    told = summed(table)
    assert (told[NOTHING]["value"], told[PARTS]["value"]) == (0.0, 7 / 8)
    beside = told[f"{PARTS} beside {NOTHING}"]
    assert (beside["difference"], beside["wins"], beside["losses"]) == (7 / 8, 7, 0)
    assert 0 < beside["low"] < 7 / 8 < beside["high"]
    assert beside["p"] == 2 / 2**4  # only the signs as they are, and all of them turned


def test_a_file_of_other_instances_is_not_gone_on_from(tmp_path):
    out = tmp_path / "out.json"
    said = {"shown": ["tabletop/stack"], "demonstrations": 1, "seeds": 2, "first": 5, "tasks": {}}
    out.write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(typer.BadParameter, match=r"is of other tasks, demonstrations or instances"):
        main("tabletop/stack", "tabletop/stack", demos=1, seeds=3, first=5, out=out)


def test_a_task_that_is_in_the_file_is_not_tried_again_and_another_is(tmp_path, capsys):
    out, skills = tmp_path / "out.json", tmp_path / "skills"
    said = {"shown": ["optimize/two-products"], "demonstrations": 0, "seeds": 1, "first": 0}
    done = {"optimize/two-products": {NOTHING: [0], PARTS: [1]}}
    out.write_text(json.dumps({**said, "tasks": done}), encoding="utf-8")
    asked = "optimize/two-products,optimize/cheapest-diet"
    main("optimize/two-products", asked, demos=0, seeds=1, first=0, whole=False, skills=skills, out=out)
    tasks = json.loads(out.read_text(encoding="utf-8"))["tasks"]
    assert tasks == {**done, "optimize/cheapest-diet": {NOTHING: [0], PARTS: [0]}}
    assert f"{PARTS} beside {NOTHING}" in capsys.readouterr().out
