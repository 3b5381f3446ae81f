"""Training the router from the command line: kept or not, taken back, told, and left aside where it is damaged."""

import json
import sys
from pathlib import Path

import pytest

from skillagent.cli import main
from skillagent.library import Library
from skillagent.llm.catalogue import CATALOGUE
from skillagent.routing.rerank import CODE, FEATURES, Compared, Trained, Tuned, Weights
from skillagent.schema import PutSkill
from skillagent.store.trainings import Trainings
from skillagent.testing import MemoryStore
from skillagent.trained import base_of

sys.path.insert(0, str(Path(__file__).parents[1] / "routing"))

from corridor_parts import parts
from ledgers import by_chance, checked, goal_of, looks_first, plain, world
from tiny import tiny

NEW = 99  # a family that was never tried
GOAL = goal_of(NEW)
COMPARED = Compared(
    untrained=0.5,
    trained=0.75,
    difference=0.25,
    low=0.1,
    high=0.4,
    better=9,
    worse=1,
    goals=32,
    families=8,
    brier=0.1,
    brier_of_rate=0.2,
)


def version(number, embedder="hash-64"):
    weights = Weights(
        mean=(0.0,) * len(FEATURES),
        spread=(1.0,) * len(FEATURES),
        weights=tuple(0.5 * (name == "checks") for name in FEATURES),
    )
    return Trained(
        version=number,
        at="2026-01-02T03:04:05Z",
        code=CODE,
        embedder=embedder,
        features=FEATURES,
        events=64,
        compared={"programs": COMPARED},
        weights={"programs": weights},
    )


@pytest.fixture
def run(tmp_path, capsys):
    """Run a command on a ledger of families, and return its exit code and what it said."""

    def ran(*arguments, families=3, works=looks_first):
        library, events = world(families, works)
        store = MemoryStore(library.with_change(PutSkill(skill=plain(NEW))).with_change(PutSkill(skill=checked(NEW))))
        for event in events:
            store.commit(event.entry)
        code = main(["router", *arguments], parts=parts(tmp_path, store=store))
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def keep(tmp_path, *lines):
    for line in lines:
        Trainings(tmp_path / "memory").append(line.model_dump(mode="json"))


def first(run):
    return json.loads(run("explain", GOAL, "--json")[1])["shown"][0]["id"]


def test_too_little_to_train_on_is_refused_with_what_there_is(run, tmp_path):
    code, _, said = run("train")
    assert code == 2
    assert "for 3 in 3 families one did better than another" in said
    assert not (tmp_path / "memory" / "router.jsonl").exists()


def test_training_is_kept_used_told_and_taken_back(run, tmp_path):
    pytest.importorskip("torch")
    assert first(run) == plain(NEW).name
    code, said, progress = run("train", "--dry-run", families=24)
    assert (code, "version 1 would be in use for programs" in said) == (0, True)
    assert "training without the families of part 1 of 5" in progress
    assert Trainings(tmp_path / "memory").lines() == []
    code, said, _ = run("train", families=24)
    assert "version 1 is in use for programs" in said
    assert "points (" in said
    assert first(run) == checked(NEW).name
    assert run("rollback")[1] == "the router is untrained; before: version 1\n"
    found = json.loads(run("train", "--json", families=24, works=by_chance)[1])
    assert (found["version"], found["accepted"], found["written"], found["in_use"]) == (2, False, True, 0)


def test_an_encoder_is_trained_kept_told_and_taken_back(run, tmp_path):
    pytest.importorskip("torch")
    code, said, _ = run("train", "--encoder", families=24)
    assert (code, "version 1 is in use for programs" in said) == (0, True)
    assert first(run) == checked(NEW).name
    assert "(encoder +" in run("explain", GOAL)[1]
    assert "version 1 of the router is in use" in run("eval")[1]
    assert run("rollback")[1] == "the router is untrained; before: version 1\n"
    assert first(run) == plain(NEW).name
    assert json.loads(run("train", "--encoder", "--json", families=24, works=by_chance)[1])["accepted"] is False


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    pytest.importorskip("sentence_transformers")
    return str(tiny(tmp_path_factory.mktemp("base")))


def test_a_model_is_fine_tuned_kept_served_told_and_taken_back(run, tmp_path, base):
    asked = ("train", "--fine-tune", "--base", base)
    models = tmp_path / "memory" / "router"
    found = json.loads(run(*asked, "--dry-run", "--json", families=20)[1])
    assert (found["accepted"], found["written"]) == (True, False)
    assert not models.exists()
    code, said, progress = run(*asked, families=20)
    assert (code, "version 1 is in use for programs" in said) == (0, True)
    assert "step 8 of 32" in progress
    (folder,) = models.iterdir()
    assert first(run) == checked(NEW).name
    assert "(fine-tuned model +" in run("explain", GOAL)[1]
    assert json.loads(run("explain", GOAL, "--set", "reranking=off", "--json")[1])["version"] == 0
    said = run("eval")[1]
    assert "version 1 of the router is in use" in said
    assert f"programs: a fine-tuned model (router/{folder.name}), first choices on held-out families" in said
    assert run("rollback")[1] == "the router is untrained; before: version 1\n"
    assert first(run) == plain(NEW).name
    assert run("rollback", "--to", "1")[0] == 0
    assert first(run) == checked(NEW).name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param("damaged", "does not hold what was kept there", id="damaged"),
        pytest.param("gone", "is not there", id="gone"),
        pytest.param("no library", "pip install 'skillagent[train]'", id="without sentence-transformers"),
        pytest.param("no model", "sentence-transformers cannot load", id="not to be loaded"),
    ],
)
def test_a_model_that_cannot_be_used_leaves_the_router_untrained_with_a_warning(
    run, tmp_path, caplog, monkeypatch, wrong, said
):
    pytest.importorskip("sentence_transformers")

    def write(new):
        new.mkdir()
        (new / "model.safetensors").write_text("no weights", encoding="utf-8")

    name, sha256 = Trainings(tmp_path / "memory").keep("1-programs", write)
    tuned = Tuned(folder=name, sha256=sha256)
    keep(tmp_path, version(1).model_copy(update={"weights": {}, "models": {"programs": tuned}}))
    match wrong:
        case "damaged":
            (tmp_path / "memory" / name / "model.safetensors").write_text("others", encoding="utf-8")
        case "gone":
            (tmp_path / "memory" / name).rename(tmp_path / "elsewhere")
        case "no library":
            monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    assert first(run) == plain(NEW).name
    assert "the router goes on untrained" in caplog.text
    assert said in caplog.text
    assert ("the router is untrained" in run("eval")[1]) is (wrong != "no model")  # that is seen when it is asked


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(["--fine-tune", "--encoder"], "two ways to train", id="two ways"),
        pytest.param(["--base", "x"], "say both", id="a base for nothing"),
        pytest.param(["--fine-tune"], "run `skillagent models pull minilm`", id="no base"),
    ],
)
def test_what_cannot_be_fine_tuned_is_told_with_the_remedy(run, tmp_path, asked, said):
    pytest.importorskip("torch")
    code, _, found = run("train", *asked, families=24)
    assert (code, said in found) == (2, True)
    assert not (tmp_path / "memory").exists()


def test_what_is_fine_tuned_is_what_is_named_else_the_embedder_else_minilm(tmp_path):
    plain = parts(tmp_path).settings()
    own = plain.model_copy(update={"embedder": "sentence-transformers/some/model"})
    assert [base_of(own, "other"), base_of(own), base_of(plain, "other")] == ["other", "some/model", "other"]
    for file in CATALOGUE["minilm"].files:
        path = plain.models_dir / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.truncate(file.size)
        stamp = f"{file.size} {path.stat().st_mtime_ns} {file.sha256}\n"
        path.with_name(f".{path.name}.checked").write_text(stamp, encoding="utf-8")
    assert base_of(plain) == str(plain.models_dir / "minilm")


def test_without_torch_remedy_and_cause_are_one_line(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    code, _, said = run("train", families=24)
    assert code == 2
    cause = "import of torch halted; None in sys.modules"
    assert said.splitlines()[-1] == f"error: training needs torch: pip install 'skillagent[train]' ({cause})"


def test_explain_and_eval_tell_the_version_in_use_and_what_it_adds(run, tmp_path):
    assert "the router is untrained" in run("eval")[1]
    keep(tmp_path, version(1))
    said = run("explain", GOAL)[1]
    assert "version 1 of the router adds +0.35 to b-checked-99 (checks +0.35)" in said
    assert "learned" in said
    assert "version" not in run("explain", GOAL, "--untrained")[1]
    assert json.loads(run("explain", GOAL, "--json")[1])["version"] == 1
    said = run("eval")[1]
    assert "version 1 of the router is in use, trained 2026-01-02T03:04:05Z on 64 events" in said
    assert "+25.0 points (+10.0 to +40.0), 9 goals better and 1 worse of 32 in 8 families" in said
    assert json.loads(run("eval", "--json")[1])["trained"]["version"] == 1


def test_a_rollback_goes_to_the_version_before_or_to_the_one_that_is_named(run, tmp_path):
    code, _, said = run("rollback")
    assert (code, "`skillagent router train`" in said) == (2, True)
    keep(tmp_path, version(1), version(2))
    assert run("rollback")[1] == "version 1 of the router is in use; before: version 2\n"
    assert json.loads(run("rollback", "--json")[1]) == {"from": 1, "to": 0}
    assert json.loads(run("rollback", "--to", "2", "--json")[1]) == {"from": 0, "to": 2}
    code, _, said = run("rollback", "--to", "7")
    assert (code, "accepted: 1, 2; 0 is untrained" in said) == (2, True)


@pytest.mark.parametrize("damage", ["{half\n", '{"kind": "trained"}\n'])
def test_a_damaged_file_leaves_the_router_untrained_with_a_warning(run, tmp_path, caplog, damage):
    keep(tmp_path, version(1))
    with (tmp_path / "memory" / "router.jsonl").open("a", encoding="utf-8") as file:
        file.write(damage)
    code, said, _ = run("eval")
    assert (code, "the router is untrained" in said) == (0, True)
    assert "the router goes on untrained" in caplog.text
    code, _, said = run("rollback")
    assert (code, "line 2" in said) == (2, True)


def test_another_embedder_leaves_the_router_untrained_with_a_warning(run, tmp_path, caplog):
    keep(tmp_path, version(1, embedder="another"))
    assert json.loads(run("explain", GOAL, "--json")[1])["version"] == 0
    assert "trained with the embedder another, and this is hash-64" in caplog.text


def test_a_stream_of_domains_is_told_by_way_from_a_file_and_from_what_was_learnt(tmp_path, capsys):
    told = [{"name": name, "description": name, "body": "-", "domain": name} for name in ("web", "farm")]
    for name in ("web", "farm"):
        told += [
            {"text": f"{name} it {n}", "skill": name, "split": split} for n, split in enumerate(("gate", "holdout"))
        ]
    file = tmp_path / "all.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in told), encoding="utf-8")
    asked = ["router", "stream", "--data", str(file), "--ways", "nothing,prototypes"]
    assert main(asked, parts=parts(tmp_path, store=MemoryStore())) == 0
    out = capsys.readouterr().out
    assert "2 skills; 2 goals are learnt from and 2 test" in out
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["way", "nothing", "prototypes"]
    assert main([*asked, "--json"], parts=parts(tmp_path, store=MemoryStore())) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ways"]["prototypes"]["recall"]["value"] == 100.0
    goals = ("go home", "go there", "go away")
    skills = [
        plain(n).model_copy(update={"domain": d, "goals": goals[:k]}) for n, (d, k) in enumerate((("a", 3), ("b", 2)))
    ]
    store = MemoryStore(Library(skills={one.name: one for one in skills}))
    assert main(["router", "stream"], parts=parts(tmp_path, store=store)) != 0
    assert "there is a (2 to learn, 1 to test), b (" in capsys.readouterr().err
