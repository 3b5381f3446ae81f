"""`skills` and `insights` on a real store on disk: history, comparison and undo come from the ledger alone."""

import json
import shutil

import pytest
from corridor_parts import parts
from skills_ref import validate as skills_ref_validate

from skillagent.build import Options, upkeep_of
from skillagent.cli import main
from skillagent.cli.texts import checked
from skillagent.envs.registry import OURS
from skillagent.learning.curate import Upkeep
from skillagent.library import Library
from skillagent.programs.text import FILE
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Insight,
    Label,
    Labelled,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Skill,
    Task,
)
from skillagent.store.disk import DiskStore
from skillagent.testing import HashEmbedder, ScriptedLLM

FIRST = Skill(name="log-in", description="Use to log in.", body="1. fill the name\n", domain="miniwob")
SECOND = FIRST.model_copy(update={"version": 2, "body": "1. fill the name\n2. press Login\n"})
INSIGHT = Insight(
    id="form-date-1",
    taxonomy="miniwob/form/date",
    kind="pitfall",
    condition=Condition(applies="When a date is typed"),
    explanation="Dates are month/day/year.",
    worked=('{"verb":"fill"}', '{"verb":"click"}'),
)
OTHER = INSIGHT.model_copy(
    update={
        "worked": (),
        "id": "menu-2",
        "condition": Condition(applies="When a menu opens"),
        "explanation": "Hover first.",
    }
)


def example(step):
    return Demonstration(id="log-in-example", domain="miniwob", goal=f"log in {step}", steps=())


def decided(*changes, accepted=True, reason="accepted: it helps"):
    return Decided(decision=Decision(edit=Edit(changes=changes, why="a lesson"), accepted=accepted, reason=reason))


@pytest.fixture
def store(tmp_path):
    store = DiskStore(tmp_path / "skills", tmp_path / "memory")
    store.commit(decided(PutSkill(skill=FIRST), PutDemonstration(demonstration=example(1))))
    store.commit(decided(PutSkill(skill=SECOND, base=1), PutDemonstration(demonstration=example(2))))
    worse = SECOND.model_copy(update={"version": 3, "body": "do nothing\n"})
    store.commit(decided(PutSkill(skill=worse, base=2), accepted=False, reason="refused: no clear lift (0 wins)"))
    store.commit(decided(PutInsight(insight=INSIGHT)))
    store.commit(decided(PutInsight(insight=OTHER)))
    return store


@pytest.fixture
def call(tmp_path, store, capsys):
    def calling(*arguments, code=0):
        assert main([*arguments], parts=parts(tmp_path)) == code
        return capsys.readouterr()

    return calling


def test_list_shows_each_skill_with_its_version(call):
    assert "log-in  v2  miniwob" in call("skills", "list").out
    assert json.loads(call("skills", "list", "--json").out)[0]["version"] == 2


def test_show_prints_the_file_as_it_lies_on_disk(call, tmp_path):
    on_disk = (tmp_path / "skills" / "log-in" / "SKILL.md").read_text(encoding="utf-8")
    assert call("skills", "show", "log-in").out == on_disk
    assert "press Login" not in call("skills", "show", "log-in", "--version", "1").out


def test_log_tells_when_why_and_on_which_grounds(call):
    out = call("skills", "log", "log-in").out
    assert "skill log-in v1 (new), example log-in-example" in out
    assert "skill log-in v2 (was v1)" in out
    assert "why   a lesson" in out
    assert "v3" not in out
    refused = call("skills", "log", "--refused").out
    assert "skill log-in v3 (was v2)" in refused
    assert "refused: no clear lift" in refused
    assert "v2 (was v1)" not in refused
    assert len(json.loads(call("skills", "log", "--json").out)) == 2


def test_diff_compares_versions_line_by_line(call):
    out = call("skills", "diff", "log-in").out
    assert "--- log-in v1\n+++ log-in v2" in out
    assert "+2. press Login" in out
    assert "-2. press Login" in call("skills", "diff", "log-in", "2", "1").out
    assert json.loads(call("skills", "diff", "log-in", "1", "2", "--json").out)["from"] == 1


def test_history_and_undo_work_after_the_folder_was_deleted(call, tmp_path, store):
    shutil.rmtree(tmp_path / "skills")
    assert "+2. press Login" in call("skills", "diff", "log-in").out
    assert "v2 (was v1)" in call("skills", "log", "log-in").out
    call("skills", "rollback", "log-in", "2")
    assert store.load().skills["log-in"].body == SECOND.body


def test_a_rollback_takes_the_example_back_with_the_skill(call, store):
    assert "skill log-in v3 (was v2), example log-in-example" in call("skills", "rollback", "log-in").out
    library = store.load()
    assert library.skills["log-in"].body == FIRST.body
    assert library.demonstrations["log-in-example"] == example(1)


def test_a_retired_skill_goes_with_its_example_and_comes_back_with_it(call, store):
    call("skills", "retire", "log-in")
    assert (dict(store.load().skills), dict(store.load().demonstrations)) == ({}, {})
    call("skills", "rollback", "log-in")
    assert store.load().skills["log-in"].body == SECOND.body
    assert store.load().demonstrations["log-in-example"] == example(2)


def test_undoing_a_creation_retires_the_skill_and_its_example(call, store):
    call("skills", "rollback", "log-in", "1")
    call("skills", "retire", "log-in")
    call("skills", "rollback", "log-in")
    assert store.load().skills["log-in"].body == FIRST.body
    assert store.load().demonstrations["log-in-example"] == example(1)


def test_an_exported_skill_is_a_valid_agent_skill_and_is_not_written_over(call, tmp_path):
    target = tmp_path / "elsewhere"
    call("skills", "export", "log-in", str(target))
    assert skills_ref_validate(target / "log-in") == []
    assert "exists" in call("skills", "export", "log-in", str(target), code=2).err


def test_validate_names_the_broken_file_and_exits_with_one(call, tmp_path):
    assert call("skills", "validate").out.endswith("log-in: ok\n")
    broken = tmp_path / "skills" / "broken"
    broken.mkdir()
    (broken / "SKILL.md").write_text("no frontmatter\n", encoding="utf-8")
    odd = tmp_path / "skills" / "odd"
    odd.mkdir()
    (odd / "SKILL.md").write_text("---\nname: other\ndescription: x\n---\n", encoding="utf-8")
    long = tmp_path / "skills" / "long"
    long.mkdir()
    (long / "SKILL.md").write_text(f"---\nname: long\ndescription: {'x' * 1025}\n---\n", encoding="utf-8")
    out = call("skills", "validate", code=1).out
    assert "1024" in out
    assert "broken" in out
    assert "frontmatter" in out
    assert "odd/SKILL.md" in out
    assert "log-in: ok" in out
    found = {entry["path"]: entry["problems"] for entry in json.loads(call("skills", "validate", "--json", code=1).out)}
    assert found[str(tmp_path / "skills" / "log-in")] == []
    assert "not a folder" in call("skills", "validate", str(tmp_path / "nowhere"), code=2).err


def test_validate_names_the_line_of_a_program_that_is_none(call, tmp_path):
    scripts = tmp_path / "skills" / "log-in" / "scripts"
    scripts.mkdir()
    program = scripts / "program.yaml"
    program.write_text("goals:\n- log in\nsteps:\n- click: {name: Login}\n", encoding="utf-8")
    assert call("skills", "validate").out.endswith("log-in: ok\n")
    assert "runs" in call("skills", "list").out
    assert json.loads(call("skills", "list", "--json").out)[0]["program"]
    program.write_text("goals:\n- log in\nsteps:\n- jump: {name: Login}\n", encoding="utf-8")
    assert "program.yaml, line 4: no verb 'jump'" in call("skills", "validate", code=1).out
    program.write_text("goals:\n- log in\nsteps:\n- click: {name: '{who}'}\n", encoding="utf-8")
    assert "line 4: no goal has a slot {who}" in call("skills", "validate", code=1).out
    assert "log-in  v2  miniwob  unreadable" in call("skills", "list").out
    assert not json.loads(call("skills", "list", "--json").out)[0]["program"]


def hand_written(folder, steps, domain=""):
    """Write a skill as a person writes one, with a program of these steps; returns its folder."""
    (folder / "scripts").mkdir(parents=True, exist_ok=True)
    meta = f"metadata:\n  skillagent-domain: {domain}\n  skillagent-version: '1'\n" if domain else ""
    (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: Sees.\n{meta}---\n", encoding="utf-8")
    (folder / "scripts" / "program.yaml").write_text(f"goals:\n- see it\nsteps:\n{steps}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("domain", ["", "kitchen"], ids=["no environment", "one that is not known here"])
@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("- click: {name: Go}\n- grasp\n- pick_up: {role: ball}\n- wait: {seconds: 9}\n", None),
        ("- click: {name: Go}\n- jmup: {name: Go}\n", "line 5: no verb 'jmup'"),
        ("- click: {name: Go}\n- fill: {name: Go}\n", "line 5: fill(ref, text) needs 'text'"),
    ],
)
def test_a_program_of_no_known_environment_may_use_the_verbs_of_all_and_no_others(tmp_path, steps, problem, domain):
    (found,) = checked(hand_written(tmp_path / "see", steps, domain))
    assert [problem in said for said in found.problems] == ([True] if problem else [])


def test_a_program_of_a_known_environment_may_use_its_verbs_alone(tmp_path):
    (found,) = checked(hand_written(tmp_path / "see", "- grasp\n", "miniwob"))
    assert "line 4: no verb 'grasp'" in found.problems[0]


TOLD = "# See\n\n## Steps\n\n1. `click` the button\n"


@pytest.mark.parametrize(
    ("body", "note"),
    [
        pytest.param("See it.\n", None, id="no steps in words"),
        pytest.param("## Steps\n\nPress, then wait.\n", None, id="no list of steps"),
        pytest.param(
            f'{TOLD}   "Go"\n2. `wait` seconds 9\n\nThat is all.\n\n## Pitfalls\n\n1. Hurry.\n', None, id="alike"
        ),
        pytest.param(
            f"{TOLD}2. `wait` seconds 9\n", "step 1 is '`click` the button', the program does", id="other words"
        ),
        pytest.param(
            f'{TOLD}   "Go"\n', "there is no step 2, the program does '`wait` seconds 9'", id="a step too few"
        ),
        pytest.param(
            f'{TOLD}   "Go"\n2. `wait` seconds 9\n3. Rest.\n',
            "step 3 is 'Rest.', the program has no such step",
            id="a step too many",
        ),
    ],
)
def test_steps_in_words_that_are_not_what_the_program_does_are_noted(call, tmp_path, body, note):
    folder = hand_written(tmp_path / "skills" / "see", "- click: {role: button, name: Go}\n- wait: {seconds: 9}\n")
    with (folder / "SKILL.md").open("a", encoding="utf-8") as file:
        file.write(body)
    found = json.loads(call("skills", "validate", str(folder), "--json").out)
    assert [note in said for said in found[0]["notes"]] == ([True] if note else [])
    assert ("note: its steps in words differ" in call("skills", "validate", str(folder)).out) == bool(note)


def test_an_environment_that_cannot_be_made_is_passed_over(tmp_path):
    def broken(options):
        raise RuntimeError("no licence")

    folder, environments = hand_written(tmp_path / "see", "- click: {}\n", "broken"), {"broken": broken, **OURS}
    (problem,) = checked(folder, environments)[0].problems
    assert problem.endswith("line 4: click(ref) needs 'ref'")


@pytest.mark.parametrize("command", ["show", "log", "diff", "rollback", "retire"])
def test_an_unknown_name_is_answered_with_a_near_one(call, command):
    assert "did you mean log-in?" in call("skills", command, "logn", code=2).err


def test_an_unknown_version_is_answered_with_those_there_are(call):
    assert "it has 1, 2" in call("skills", "rollback", "log-in", "9", code=2).err
    assert "it has 1, 2" in call("skills", "diff", "log-in", "1", "9", code=2).err


def test_insights_are_listed_and_shown_with_their_history(call):
    assert "When a date is typed: Dates are month/day/year." in call("insights", "list").out
    out = call("insights", "show", "form-date-1").out
    assert 'worked       {"verb":"fill"}\n             {"verb":"click"}\n' in out
    assert "miniwob/form/date" in out
    assert "insight form-date-1 (new)" in out
    assert "did you mean menu-2?" in call("insights", "show", "menu", code=2).err


def test_search_puts_the_nearest_insight_first(call):
    found = json.loads(call("insights", "search", "a menu opens", "--json").out)
    assert [one["id"] for one in found] == ["menu-2", "form-date-1"]
    assert len(json.loads(call("insights", "search", "a date is typed", "--top", "1", "--json").out)) == 1


def test_an_insight_is_retired_and_brought_back(call, store):
    call("insights", "retire", "menu-2")
    assert "menu-2" not in store.load().insights
    call("insights", "rollback", "menu-2")
    assert store.load().insights["menu-2"] == OTHER
    assert "no earlier state of 'no-such'" in call("insights", "rollback", "no-such", code=2).err


def test_an_empty_library_says_how_to_fill_it(tmp_path, capsys):
    for command in (["skills", "list"], ["insights", "list"], ["insights", "search", "x"]):
        assert main(command, parts=parts(tmp_path)) == 0
        assert "skillagent learn" in capsys.readouterr().out
    assert main(["skills", "list", "--json"], parts=parts(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out) == []


WIDE = INSIGHT.model_copy(
    update={
        "id": "form-date-2",
        "condition": Condition(applies="When a date is typed in"),
        "explanation": "Month first.",
    }
)


def tried(n, *shown, score=1.0, task="press", **rest):
    one = Task(env="corridor", name=task, seed=n)
    return Attempted(attempt=f"corridor/{task}@{n}#0a", task=one, goal="press it", shown=shown, score=score, **rest)


@pytest.fixture
def lived(store):
    """A store in whose ledger one insight has hurt, one has helped, and one is known to have been missing."""
    for n in range(12):
        store.commit(tried(n, "menu-2", score=0.0))
        store.commit(tried(n, "form-date-1", score=1.0))
    goal, labels = "when a date is typed", {"form-date-1": Label.NEGATIVE, "menu-2": Label.UNRETRIEVED}
    store.commit(Labelled(attempt="corridor/press@0#0a", task=tried(0).task, goal=goal, labels=labels))
    return store


def test_list_shows_what_each_insight_has_been_worth(call, lived):
    out = call("insights", "list").out
    assert "12/12" in out and "+0.8" in out and "-0.8" in out
    told = {one["id"]: one["utility"] for one in json.loads(call("insights", "list", "--json").out)}
    assert told["menu-2"]["high"] < 0 < told["form-date-1"]["low"]


def test_a_pinned_insight_stays_and_can_be_let_go_of(call, lived, tmp_path):
    assert "pinned: menu-2" in call("insights", "pin", "menu-2").out
    assert "no upkeep changes it" in call("insights", "show", "menu-2").out
    call("insights", "prune")
    assert "menu-2" in lived.load().insights
    events = len(list(lived.events()))
    call("insights", "pin", "menu-2")
    assert len(list(lived.events())) == events, "pinned twice is pinned once"
    assert json.loads(call("insights", "pin", "menu-2", "--off", "--json").out) == {"id": "menu-2", "pinned": False}
    assert "without insight menu-2" in call("insights", "prune").out
    assert "menu-2" not in lived.load().insights
    assert "no insight 'menu'" in call("insights", "pin", "menu", code=2).err


def test_prune_keeps_the_budget_and_dry_run_keeps_everything(call, lived):
    before = len(list(lived.events()))
    assert "2 changes would be made" in call("insights", "prune", "--budget", "0", "--dry-run").out
    assert len(list(lived.events())) == before
    last = json.loads(call("insights", "prune", "--budget", "0", "--json").out.splitlines()[-1])
    assert last == {"event": "result", "accepted": 2, "refused": 0, "skills": 1, "insights": 0}
    assert "nothing to do" in call("insights", "prune", "--budget", "0").out


def test_what_a_person_brought_back_is_not_pruned_again(call, lived):
    call("insights", "prune")
    call("insights", "rollback", "menu-2")
    assert "nothing to do" in call("insights", "prune").out
    assert "menu-2" in lived.load().insights


def test_evolve_words_conditions_anew_and_says_what_it_refuses(call, lived):
    out = call("insights", "evolve").out
    assert "without insight menu-2" in out
    assert "insight form-date-1 (changed)" in out
    assert "when a date is typed" in lived.load().insights["form-date-1"].condition.does_not_apply
    assert "nothing to do" in call("insights", "evolve").out, "what was refused or done is not done again"


@pytest.mark.parametrize("wordings", [0, 2])
def test_how_many_wordings_are_asked_for_is_an_option(store, wordings):
    goal = "type the day into the form"
    store.commit(Labelled(attempt="a", task=tried(0).task, goal=goal, labels={"menu-2": Label.UNRETRIEVED}))
    model = ScriptedLLM(lambda messages, role: {"applies": "When nothing", "does_not_apply": ""})
    care = upkeep_of(Options(upkeep=Upkeep(wordings=wordings)), HashEmbedder(), model)["conditions"]
    list(care(store.load(), list(store.events()), lambda task, library, variation=None: None))
    assert len(model.asked) == wordings


def test_a_second_upkeep_with_nothing_new_makes_no_edits():
    crowd = [WIDE.model_copy(update={"id": f"{n}", "explanation": f"Month {n} first, then the day."}) for n in range(5)]
    every = upkeep_of(Options(upkeep=Upkeep(budget=3, same=0.999)), HashEmbedder(), ScriptedLLM([]))

    def looked_after(library):
        made = []
        for care in every.values():
            for decision in list(care(library, [], lambda task, library, variation=None: None)):
                library = library.apply(decision.edit)
                made.append(decision.edit)
        return library, made

    once, made = looked_after(Library(insights={one.id: one for one in crowd}))
    assert [len(one.related) for one in once.insights.values()] == [2, 2, 2]
    assert made
    assert looked_after(once) == (once, [])


def test_evolve_takes_a_program_away_that_only_fails_and_it_can_be_brought_back(call, store):
    runs = SECOND.model_copy(update={"version": 3, "files": {FILE: "steps: [done]\n"}})
    store.commit(decided(PutSkill(skill=runs, base=2)))
    for n in range(4):
        store.commit(tried(n, "log-in", score=0.0, programs=("log-in",)))
        store.commit(tried(n, score=1.0))
        store.commit(tried(n, score=1.0))
    assert "1 change would be made" in call("skills", "evolve", "--dry-run").out
    assert FILE in store.load().skills["log-in"].files
    assert "its words stay" in call("skills", "evolve").out
    assert FILE not in store.load().skills["log-in"].files
    assert "its program solved 0 and failed 4" in call("skills", "log", "log-in").out
    assert "nothing to do" in call("skills", "evolve").out
    call("skills", "rollback", "log-in")
    assert FILE in store.load().skills["log-in"].files
    for n in range(4):
        store.commit(tried(n, "log-in", score=0.0, programs=("log-in",)))
    assert FILE in store.load().skills["log-in"].files, "what a person brought back stays"


def test_why_says_what_was_shown_what_it_did_and_what_was_taught(call, lived):
    goal = "press it"
    lesson = Edit(
        changes=(PutInsight(insight=WIDE),), why="a lesson", evidence=("corridor/press@0#0a", "corridor/press@0#ff")
    )
    lived.commit(Decided(decision=Decision(edit=lesson, accepted=True, reason="accepted: it helps")))
    out = call("insights", "why", "corridor/press@0#0a").out
    assert goal in out
    assert "form-date-1 (negative) When a date is typed" in out
    assert "missed   menu-2: it was not shown, and solves the task" in out
    assert "taught   insight form-date-2 (new): accepted: it helps" in out
    told = json.loads(call("insights", "why", "corridor/press@0#0a", "--json").out)
    assert told["labels"] == {"form-date-1": "negative", "menu-2": "unretrieved"}
    assert "did you mean corridor/press@0#0a" in call("insights", "why", "corridor/press@0#0", code=2).err
    lucky = call("insights", "why", "corridor/press@0#ff", code=2).err
    assert "found by chance, and is not recorded; it taught insight form-date-2 (new)" in lucky


def test_why_tells_what_was_done_with_what_was_shown(call, store):
    done = ('{"verb":"recall","question":"which?"}', "was told: the red one", '{"verb":"fly"} ✗ no verb')
    store.commit(tried(7, "log-in", "log-in-example", "rules-1", score=None, task="ask", actions=done))
    out = call("insights", "why", "corridor/ask@7#0a").out.splitlines()
    assert [line.split()[:2] for line in out[1:4]] == [
        ["shown", key] for key in ("log-in", "log-in-example", "rules-1")
    ]
    assert out[1] == f"shown    log-in (shown) {SECOND.description}"
    assert out[4:7] == [f"did      {line}" for line in done]
    assert out[7].startswith("outcome  unscored, ")
    told = json.loads(call("insights", "why", "corridor/ask@7#0a", "--json").out)
    assert told["actions"] == [*done]
    older = {key: value for key, value in told.items() if key in Attempted.model_fields and key != "actions"}
    assert Attempted.model_validate(older).actions == ()


def test_labels_are_listed_with_what_they_mean_and_how_many_insights_they_have(call, store):
    meant = WIDE.model_copy(update={"defines": {"miniwob/form/date": "days of the year"}})
    store.commit(decided(PutInsight(insight=meant)))
    lines = call("insights", "labels").out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["miniwob/form", "3"], ["miniwob/form/date", "3"]]
    assert "days of the year" in lines[2]
    told = json.loads(call("insights", "labels", "--json").out)
    assert told[1] == {"label": "miniwob/form/date", "means": "days of the year", "insights": 3}


def test_a_student_tells_what_insights_are_worth(call, lived):
    learnt = WIDE.model_copy(update={"evidence": ("corridor/press@0#0a",)})
    lived.commit(decided(PutInsight(insight=learnt)))
    captured = call("insights", "prune", "--budget", "2", "--student", "small/one", "--dry-run")
    assert "form-date-2: +0.00 for small/one" in captured.err
    assert "form-date-1: no exam that tells for small/one" in captured.err
    assert "without insight menu-2" in captured.out


def test_a_student_tells_which_examples_teach_nothing_and_those_of_a_skill_stay(call, store):
    learnt = {"evidence": ("corridor/press@0#0a",)}
    loose, own = (example(1).model_copy(update={"id": key, **learnt}) for key in ("loose", "log-in-example"))
    store.commit(decided(PutDemonstration(demonstration=loose), PutDemonstration(demonstration=own)))
    assert "nothing to do" in call("insights", "prune").out
    captured = call("insights", "prune", "--student", "small/one")
    assert "loose: +0.00 for small/one" in captured.err
    assert "log-in-example: +0.00 for small/one" in captured.err
    assert "without example loose" in captured.out
    assert set(store.load().demonstrations) == {"log-in-example"}
    call("insights", "rollback", "loose")
    call("insights", "prune", "--student", "small/one")
    assert "loose" in store.load().demonstrations, "what a person brought back stays"


REACH = "steps:\n- move_to: {role: object, offset: [0.0, 0.0, 0.1]}\n"


@pytest.fixture
def arm(store):
    body = "# Reach\n\n## Steps\n\n1. `move_to` the object offset [0.0, 0.0, 0.1]\n"
    store.commit(decided(PutSkill(skill=Skill(name="reach", description="Reach.", body=body, files={FILE: REACH}))))


def test_a_persons_words_move_a_point_of_a_program_and_can_be_taken_back(call, store, arm):
    told = call("skills", "correct", "reach", "2 cm higher at the end")
    assert "+- move_to: {role: object, offset: [0.0, 0.0, 0.12]}" in told.out
    assert "+1. `move_to` the object offset [0.0, 0.0, 0.12]" in told.out
    assert "corrected: skill reach v2 (was v1)" in told.out
    assert "a person: 2 cm higher at the end" in call("skills", "log", "reach").out
    assert not list(checked(store.load() and store._skills / "reach")[0].problems)
    call("skills", "rollback", "reach")
    assert store.load().skills["reach"].files[FILE] == REACH


@pytest.mark.parametrize(
    ("skill", "words", "why"),
    [
        ("reach", "a bit higher", "'a bit higher' is not understood; say it like '2 cm higher'"),
        ("reach", "2 cm higher at step 4", "reach: step 4 has no offset or path to be moved: its steps are 1. move_to"),
        ("log-in", "2 cm higher", "log-in has no program, only words"),
        ("reech", "2 cm higher", "did you mean reach?"),
    ],
)
def test_a_correction_that_cannot_be_made_says_what_can(skill, words, why, call, store, arm):
    before = store.load().digest
    assert why in call("skills", "correct", skill, words, code=2).err
    assert store.load().digest == before
