"""The store on disk: one writer, nothing lost, nothing torn, whatever happens between two lines of it."""

import logging
import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
import skills_ref.validator
from filelock import FileLock

from skillagent.errors import InvalidSkill, LibraryError, NotFound, StaleEdit, StoreBusy
from skillagent.schema import (
    Attempted,
    Condition,
    Decided,
    Decision,
    Demonstration,
    Edit,
    Insight,
    KeyStep,
    PutDemonstration,
    PutInsight,
    PutSkill,
    Remarked,
    RetireInsight,
    RetireSkill,
    RolledBack,
    Skill,
    Task,
)
from skillagent.store.disk import DiskStore
from skillagent.store.ledger import rollback
from skillagent.store.shelf import Shelf
from skillagent.testing import check_store

FOREIGN = b"---\r\nname: pdf\r\ndescription: Reads PDF files.\r\nauthor: someone\r\n---\r\nRead it.\r\n"


def open_store(root, **options):
    return DiskStore(root / "skills", root / "memory", **options)


def skill(name="log-in", version=1, body="Do it.\n", **fields):
    return Skill(name=name, description="Logs in. Use when asked to.", body=body, version=version, **fields)


def accepted(*changes, why="because"):
    return Decided(decision=Decision(edit=Edit(changes=changes, why=why), accepted=True, reason="lift"))


def insight(key="i", explanation="because"):
    condition = Condition(applies="always")
    return Insight(id=key, taxonomy="a/b/c", kind="pitfall", condition=condition, explanation=explanation)


def demonstration(key="d", goal="Log in."):
    return Demonstration(id=key, domain="web", goal=goal, steps=(KeyStep(observation="o", action="click"),))


def files_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_store_keeps_the_promises_of_its_port(tmp_path):
    check_store(lambda: open_store(tmp_path))


def test_a_changed_skill_of_someone_else_keeps_its_scripts_executable(tmp_path):
    home = tmp_path / "skills" / "pdf"
    script = home / "scripts" / "read.sh"
    script.parent.mkdir(parents=True)
    (home / "SKILL.md").write_bytes(FOREIGN)
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    store = open_store(tmp_path)
    theirs = store.load().skills["pdf"]
    files = {"scripts/read.sh": "#!/bin/sh\nexit\n", "notes.md": "new\n"}

    store.commit(accepted(PutSkill(skill=theirs.model_copy(update={"version": 2, "files": files}), base=1)))

    assert script.read_text(encoding="utf-8") == files["scripts/read.sh"]
    assert (script.stat().st_mode & 0o777, (home / "notes.md").stat().st_mode & 0o111) == (0o755, 0)


def test_opening_and_reading_an_empty_store_makes_nothing(tmp_path):
    store = open_store(tmp_path)

    assert len(store.load()) == 0
    assert list(store.events()) == []
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_item_comes_back_as_it_was_and_goes_when_it_is_retired(tmp_path):
    written = skill(files={"scripts/program.yaml": "goals: []\n", "references/deep/a.md": "x"}, goals=("Log in",))
    store = open_store(tmp_path)
    library = store.commit(
        accepted(
            PutSkill(skill=written), PutInsight(insight=insight()), PutDemonstration(demonstration=demonstration())
        )
    )

    loaded = open_store(tmp_path).load()
    assert loaded == library
    assert (loaded.skills["log-in"], loaded.insights["i"], loaded.demonstrations["d"]) == (
        written,
        insight(),
        demonstration(),
    )
    assert skills_ref.validator.validate(tmp_path / "skills" / "log-in") == []

    store.commit(accepted(RetireSkill(name="log-in", base=1), RetireInsight(id="i")))
    assert set(open_store(tmp_path).load().demonstrations) == {"d"}
    assert list((tmp_path / "skills").iterdir()) == []


def test_a_revision_replaces_the_skills_own_files_and_keeps_what_is_not_its_own(tmp_path):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill(files={"old.md": "1", "both.md": "1"}))))
    folder = tmp_path / "skills" / "log-in"
    (folder / "assets").mkdir()
    (folder / "assets" / "picture.png").write_bytes(b"\x89PNG\x00")
    (folder / ".hidden").write_text("x")
    (folder / "link").symlink_to("both.md")

    store.commit(accepted(PutSkill(skill=skill(version=2, files={"new/deep.md": "2", "both.md": "2"}), base=1)))

    kept = {"assets/picture.png": b"\x89PNG\x00", ".hidden": b"x", "link": b"2"}
    text = files_below(folder).pop("SKILL.md")
    assert b'skillagent-version: "2"' in text
    assert files_below(folder) == {"SKILL.md": text, "new/deep.md": b"2", "both.md": b"2", **kept}

    store.commit(accepted(RetireSkill(name="log-in", base=2)))
    assert files_below(folder) == {"assets/picture.png": b"\x89PNG\x00", ".hidden": b"x"}
    assert open_store(tmp_path).load().skills == {}


def test_a_file_that_is_not_the_skills_own_is_never_overwritten(tmp_path):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill())))
    (tmp_path / "skills" / "log-in" / "data.bin").write_bytes(b"\x00\xff")
    before = files_below(tmp_path)

    for files in ({"data.bin": "text"}, {"data.bin/inner.md": "text"}):
        with pytest.raises(InvalidSkill, match=r"data\.bin is in the way"):
            store.commit(accepted(PutSkill(skill=skill(version=2, files=files), base=1)))

    assert files_below(tmp_path) == before


def test_a_folder_that_cannot_be_read_stops_nothing_and_is_never_overwritten(tmp_path, caplog):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill())))
    broken = tmp_path / "skills" / "broken" / "SKILL.md"
    broken.parent.mkdir()
    broken.write_text("no frontmatter")

    assert set(open_store(tmp_path).load().skills) == {"log-in"}
    assert f"{broken}: line 1: no frontmatter; begin with" in caplog.text
    with pytest.raises(InvalidSkill, match="in the way"):
        store.commit(accepted(PutSkill(skill=skill("broken"))))
    assert broken.read_text() == "no frontmatter"


def test_a_skill_whose_program_cannot_be_read_is_kept_for_its_words_and_told_of_once(tmp_path, caplog):
    program = tmp_path / "skills" / "pdf" / "scripts" / "program.yaml"
    program.parent.mkdir(parents=True)
    (tmp_path / "skills" / "pdf" / "SKILL.md").write_bytes(FOREIGN)
    program.write_text("steps:\n- expect: {shows: ''}\n")
    shelf = Shelf(tmp_path / "skills", tmp_path / "memory", now_ns=lambda: time.time_ns() + 10**9)

    assert shelf.read().skills["pdf"].body == "Read it.\n"
    assert shelf.read() is shelf.read()
    (told,) = (message for message in caplog.messages if "its program" in message)
    assert "words alone are used: pdf/scripts/program.yaml, line 2: a text is needed" in told


def test_a_foreign_skill_is_left_as_it_is_until_it_is_edited_and_can_be_put_back(tmp_path):
    path = tmp_path / "skills" / "pdf" / "skill.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(FOREIGN)
    store = open_store(tmp_path)

    foreign = store.commit(accepted(PutSkill(skill=skill()))).skills["pdf"]
    assert foreign.foreign
    assert path.read_bytes() == FOREIGN

    edited = foreign.model_copy(update={"version": 2, "body": "Read it well.\n"})
    library = store.commit(accepted(PutSkill(skill=edited, base=1)))
    assert library == open_store(tmp_path).load()
    assert not library.skills["pdf"].foreign
    assert library.skills["pdf"].metadata == {"author": "someone"}
    assert set(files_below(path.parent)) == {"SKILL.md"}
    assert skills_ref.validator.validate(path.parent) == []

    library = store.commit(rollback(library, store.events(), "pdf"))
    assert (library.skills["pdf"].body, library.skills["pdf"].version) == ("Read it.\n", 3)


def test_a_folder_with_a_wrong_name_gets_the_skills_name_when_the_skill_is_edited(tmp_path):
    folder = tmp_path / "skills" / "My_Skill"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: my-skill\ndescription: D\n---\nA\n")
    (folder / "picture.png").write_bytes(b"\x00")
    store = open_store(tmp_path)
    old = store.load().skills["my-skill"]

    store.commit(accepted(PutSkill(skill=old.model_copy(update={"version": 2}), base=1)))

    assert [path.name for path in (tmp_path / "skills").iterdir()] == ["my-skill"]
    assert set(files_below(tmp_path / "skills" / "my-skill")) == {"SKILL.md", "picture.png"}


def test_of_two_folders_with_one_skill_the_one_of_that_name_counts(tmp_path, caplog):
    for name in ("A_Skill", "a-skill"):
        folder = tmp_path / "skills" / name
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: a-skill\ndescription: In {name}\n---\n")

    assert open_store(tmp_path).load().skills["a-skill"].description == "In a-skill"
    assert "A_Skill: skipped, there is another skill a-skill" in caplog.text


def test_what_a_person_edited_by_hand_is_kept_in_the_ledger_when_it_is_replaced(tmp_path):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill())))
    path = tmp_path / "skills" / "log-in" / "SKILL.md"
    path.write_text(path.read_text().replace("Do it.", "Do it by hand."))

    library = store.commit(accepted(PutSkill(skill=skill(version=2, body="Learnt.\n"), base=1)))
    library = store.commit(rollback(library, store.events(), "log-in"))

    assert library.skills["log-in"].body == "Do it by hand.\n"
    assert open_store(tmp_path).load() == library


def test_a_change_by_hand_is_seen_at_the_next_load_even_of_equal_size(tmp_path):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill(body="aaaa\n"))))
    path = tmp_path / "skills" / "log-in" / "SKILL.md"
    for body in ("bbbb\n", "cccc\n", "dddd\n"):
        path.write_text(path.read_text()[:-5] + body)
        assert store.load().skills["log-in"].body == body


def test_only_what_changed_is_parsed_again_and_no_change_is_missed(tmp_path):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill()), PutSkill(skill=skill("other")), PutInsight(insight=insight())))
    shelf = Shelf(tmp_path / "skills", tmp_path / "memory", now_ns=lambda: time.time_ns() + 10**9)
    first = shelf.read()
    assert shelf.read() is first

    store.commit(accepted(PutSkill(skill=skill(version=2), base=1), PutInsight(insight=insight("j"))))
    second = shelf.read()
    assert second == store.load()
    assert second.skills["other"] is first.skills["other"]

    store.commit(accepted(RetireSkill(name="log-in", base=2), RetireInsight(id="i")))
    assert shelf.read() == store.load()
    (tmp_path / "skills" / "other" / "new.md").write_text("x")
    assert shelf.read().skills["other"].files == {"new.md": "x"}


def test_a_file_that_changed_a_moment_ago_is_never_taken_for_unchanged(tmp_path):
    open_store(tmp_path).commit(accepted(PutSkill(skill=skill())))
    written_ns = (tmp_path / "skills" / "log-in" / "SKILL.md").stat().st_mtime_ns
    shelf = Shelf(tmp_path / "skills", tmp_path / "memory", now_ns=lambda: written_ns + 50_000_000)

    first, second = shelf.read(), shelf.read()

    assert second.skills["log-in"] is not first.skills["log-in"]


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (accepted(PutInsight(insight=insight()), PutSkill(skill=skill(version=9), base=8)), StaleEdit),
        (accepted(PutInsight(insight=insight()), RetireSkill(name="nothing", base=1)), StaleEdit),
        (accepted(PutInsight(insight=insight()), RetireInsight(id="nothing")), NotFound),
        (accepted(PutInsight(insight=insight()), PutSkill(skill=skill("Bad Name"))), InvalidSkill),
        (accepted(PutInsight(insight=insight()), PutSkill(skill=skill("new", files={"../x": ""}))), InvalidSkill),
        (RolledBack(changes=(PutSkill(skill=skill(), base=None),)), StaleEdit),
    ],
)
def test_a_commit_that_is_refused_writes_nothing(tmp_path, entry, error):
    store = open_store(tmp_path)
    store.commit(accepted(PutSkill(skill=skill())))
    before = files_below(tmp_path)

    with pytest.raises(error):
        store.commit(entry)

    assert files_below(tmp_path) == before


def test_what_the_ledger_replaced_undoes_each_change_in_order(tmp_path):
    store = open_store(tmp_path)
    first = store.commit(accepted(PutSkill(skill=skill())))
    two, three = skill(version=2, body="2\n"), skill(version=3, body="3\n")
    store.commit(accepted(PutSkill(skill=two, base=1), PutSkill(skill=three, base=2), PutInsight(insight=insight())))

    *_, event = open_store(tmp_path).events()

    library = store.load()
    for change in reversed(event.entry.replaced):
        library = library.with_change(change)
    assert library == first


def test_events_are_stamped_with_the_digest_after_them_and_the_time_in_utc(tmp_path):
    store = open_store(tmp_path)
    library = store.commit(accepted(PutSkill(skill=skill())))
    store.commit(Remarked(attempt="a", good=False, words="too slow"))

    first, second = store.events()
    assert first.library == second.library == library.digest
    assert first.at.endswith("Z")


def test_text_that_no_file_can_hold_is_mended_on_the_way_in(tmp_path):
    store = open_store(tmp_path)

    library = store.commit(accepted(PutSkill(skill=skill(body="a\r\nb\x00")), why="half a pair: \ud83d"))
    store.commit(Attempted(attempt="a", task=Task(env="e", name="n"), goal="\udc00", shown=("log-in",)))

    assert library.skills["log-in"].body == "a\nb"
    assert open_store(tmp_path).load() == library
    first, second = open_store(tmp_path).events()
    assert (first.entry.decision.edit.why, second.entry.goal) == ("half a pair: \ufffd", "\ufffd")


@pytest.mark.parametrize("name", ["insights.jsonl", "demonstrations.jsonl"])
def test_a_damaged_line_of_knowledge_is_an_error_and_not_a_loss(tmp_path, name):
    store = open_store(tmp_path)
    store.commit(accepted(PutInsight(insight=insight()), PutDemonstration(demonstration=demonstration())))
    path = tmp_path / "memory" / name
    path.write_bytes(path.read_bytes() + b"{broken\n")

    with pytest.raises(LibraryError, match=rf"{name}: line 2 is not"):
        open_store(tmp_path).load()
    with pytest.raises(LibraryError):
        store.commit(accepted(PutInsight(insight=insight("j"))))
    assert path.read_bytes().endswith(b"{broken\n")


# ── Several processes ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_writer_that_waits_too_long_is_told_who_is_in_the_way(tmp_path):
    store = open_store(tmp_path, wait_s=0.05)
    store.commit(accepted(PutSkill(skill=skill())))

    with FileLock(tmp_path / "memory" / "store.lock"):
        with pytest.raises(StoreBusy, match=r"store\.lock: another process has been writing for 0.05 s"):
            store.commit(Remarked(attempt="a", good=True))
        assert set(store.load().skills) == {"log-in"}, "a reader needs no lock"

    assert len(list(store.events())) == 1


def _add_skills(root, name, count):
    store = open_store(root)
    for i in range(count):
        store.commit(accepted(PutSkill(skill=skill(f"{name}-{i}")), PutInsight(insight=insight(f"{name}-{i}"))))
        store.commit(Remarked(attempt=f"{name}-{i}", good=True))


def test_two_processes_that_commit_at_once_lose_nothing_and_a_reader_sees_no_torn_state(tmp_path):
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_add_skills, args=(tmp_path, name, 15)) for name in ("a", "b")]
    for child in children:
        child.start()
    reader, seen = open_store(tmp_path), 0
    while any(child.is_alive() for child in children):
        library = reader.load()
        assert set(library.skills) == set(library.insights), "an edit is seen whole or not at all"
        assert len(library.skills) >= seen
        seen = len(library.skills)
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0]
    expected = {f"{name}-{i}" for name in ("a", "b") for i in range(15)}
    assert set(reader.load().skills) == expected
    events = list(reader.events())
    assert [event.seq for event in events] == list(range(60))
    assert {event.entry.attempt for event in events if event.entry.kind == "remarked"} == expected


def test_of_two_revisions_of_one_version_the_second_is_stale(tmp_path):
    one, other = open_store(tmp_path), open_store(tmp_path)
    one.commit(accepted(PutSkill(skill=skill())))
    other.load()
    one.commit(accepted(PutSkill(skill=skill(version=2, body="one\n"), base=1)))

    with pytest.raises(StaleEdit, match="expects version 1, the library has version 2"):
        other.commit(accepted(PutSkill(skill=skill(version=2, body="other\n"), base=1)))


# ── A crash at every step ────────────────────────────────────────────────────────────────────────────────────────────

_STEPS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate", "shutil.rmtree"}


def _dies_at(step, work):
    """Run `work` in a child that dies at its `step`-th touch of the file system; return whether it died."""
    child = os.fork()
    if child == 0:
        left = step

        def watch(name, _):
            nonlocal left
            if name in _STEPS:
                left -= 1
                if left == 0:
                    os._exit(9)

        logging.disable()
        sys.addaudithook(watch)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def _start(root):
    store = open_store(root)
    files = {"scripts/program.yaml": "1\n", "references/old.md": "1\n"}
    store.commit(accepted(PutSkill(skill=skill(files=files)), PutSkill(skill=skill("other", files=files))))
    (root / "skills" / "log-in" / "picture.png").write_bytes(b"\x00")
    return store.load()


def _change():
    return accepted(
        PutSkill(skill=skill(version=2, body="2\n", files={"scripts/program.yaml": "2\n", "new.md": "2\n"}), base=1),
        RetireSkill(name="other", base=1),
        PutInsight(insight=insight()),
        PutDemonstration(demonstration=demonstration()),
    )


def test_a_crash_at_any_step_leaves_the_library_as_it_was_or_as_it_was_to_be(tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    before = after = step = 0
    old = _start(tmp_path / "start")
    shutil.copytree(tmp_path / "start", tmp_path / "end")
    open_store(tmp_path / "end").commit(_change())
    while True:
        step += 1
        root = tmp_path / str(step)
        shutil.copytree(tmp_path / "start", root)
        new = old.apply(_change().decision.edit)
        if not _dies_at(step, lambda root=root: open_store(root).commit(_change())):
            break
        if step % 3 == 0:
            _dies_at(step // 2, lambda root=root: open_store(root).load())

        library = open_store(root).load()

        committed = len(list(open_store(root).events())) == 2
        assert library == (new if committed else old), f"torn at step {step}"
        expected = tmp_path / ("end" if committed else "start") / "skills"
        assert files_below(root / "skills") == files_below(expected), f"something is left over from step {step}"
        assert len(list((root / "skills").iterdir())) == len(list(expected.iterdir()))
        assert not (root / "memory" / "pending.json").exists()
        before, after = before + (not committed), after + committed
    assert before >= 3, "some crashes come before the commit is safe"
    assert after >= 20, "most come after"


def test_an_interrupted_commit_is_completed_before_the_next_one(tmp_path, caplog):
    _start(tmp_path)
    store = open_store(tmp_path)
    store.commit(_change())
    *_, event = store.events()
    lines = (tmp_path / "memory" / "ledger.jsonl").read_bytes().split(b"\n")
    (tmp_path / "memory" / "ledger.jsonl").write_bytes(lines[0] + b"\n" + lines[1][:50])
    Path(tmp_path / "memory" / "pending.json").write_text(event.model_dump_json())

    library = open_store(tmp_path).commit(accepted(PutSkill(skill=skill("third"))))

    assert set(library.skills) == {"log-in", "third"}
    assert "completing event 1" in caplog.text
    assert [one.seq for one in store.events()] == [0, 1, 2]
