"""`run` and `learn`: what is shown, what is learnt, and with which code they end. Real stages, a tiny world."""

from dataclasses import replace
from io import BytesIO

import pytest
from corridor_parts import Lucky, lines, parts
from PIL import Image

from skillagent.cli import main
from skillagent.errors import EnvironmentFailed
from skillagent.schema import Attempted, Decided
from skillagent.testing import Corridor, MemoryStore, ScriptedLLM


class Crashing(Corridor):
    """Dies at the first step."""

    def step(self, action):
        raise EnvironmentFailed("the browser has gone")


class Seen(Corridor):
    """Can be filmed: red before a button is pressed, and then green."""

    def __init__(self, secret=None):
        super().__init__(secret)
        self.resets = 0

    def reset(self, task):
        self.resets += 1
        return super().reset(task)

    def screenshot(self):
        out = BytesIO()
        Image.new("RGB", (40, 30), "green" if self._over else "red").save(out, "PNG")
        return out.getvalue()


def kinds(store):
    return [event.entry.kind for event in store.events()]


def test_a_failed_run_is_practised_and_what_helps_is_kept(tmp_path, capsys):
    store = MemoryStore()
    assert main(["run", "corridor/press"], parts=parts(tmp_path, store=store)) == 0
    out = capsys.readouterr().out
    for shown in (
        "goal    press",
        "route   nothing fits (no skill is for this environment)",
        "verdict failure",
        "verdict success",
        "lesson",
        "try ",
    ):
        assert shown in out
    assert "pair 1" in out
    assert "gate    accepted" in out
    assert "skillagent skills rollback press-white" in out
    assert "press-white" in store.load().skills
    assert main(["run", "corridor/press"], parts=parts(tmp_path, store=store)) == 0
    assert "press-white v1 [solved 1.00" in capsys.readouterr().out


def test_without_learning_a_failed_task_is_exit_code_one_and_one_attempt(tmp_path, capsys):
    store = MemoryStore()
    assert main(["run", "corridor/press", "--no-learn"], parts=parts(tmp_path, store=store)) == 1
    assert kinds(store) == ["attempted"]


def test_a_seed_of_evaluation_is_never_learnt_from_and_the_user_is_told(tmp_path, capsys):
    store = MemoryStore()
    assert main(["run", "corridor/press", "--seed", "2000000"], parts=parts(tmp_path, store=store)) == 1
    assert "nothing will be learnt: seed 2000000 is a holdout seed" in capsys.readouterr().out
    assert kinds(store) == ["attempted"]


@pytest.mark.parametrize(
    ("options", "learns", "said"),
    [
        ([], False, "--replay"),
        (["--expect", "white"], False, "--replay"),
        (["--replay"], False, "--expect"),
        (["--no-learn"], False, ""),
        (["--replay", "--expect", "white"], True, ""),
    ],
)
def test_a_page_on_the_web_is_only_repeated_when_the_operator_says_so(tmp_path, capsys, options, learns, said):
    store = MemoryStore()
    arguments = ["run", 'press the "red" button', "--url", "http://localhost:1/x", *options]
    main(arguments, parts=parts(tmp_path, store=store))
    out = capsys.readouterr().out
    assert ("nothing will be learnt" in out) == bool(said)
    assert said in out
    assert kinds(store) == (["attempted", "attempted", "decided"] if learns else ["attempted"])


def test_a_run_that_nobody_scores_is_no_failure(tmp_path, capsys):
    class Unscored(Corridor):
        def step(self, action):
            return super().step(action).model_copy(update={"reward": None})

    assert main(["run", "corridor/press"], parts=parts(tmp_path, store=MemoryStore(), environment=Unscored())) == 0
    assert "verdict unscored" in capsys.readouterr().out


def test_a_crash_of_the_world_is_exit_code_three_and_teaches_nothing(tmp_path, capsys):
    store = MemoryStore()
    assert main(["run", "corridor/press"], parts=parts(tmp_path, store=store, environment=Crashing())) == 3
    out = capsys.readouterr().out
    assert "verdict unscored: the browser has gone" in out
    assert "void    the world failed" in out
    assert set(kinds(store)) == {"attempted"}


def test_practice_in_a_world_that_always_fails_is_exit_code_three(tmp_path, capsys):
    arguments = ["learn", "corridor/press,corridor/push"]
    assert main(arguments, parts=parts(tmp_path, store=MemoryStore(), environment=Crashing())) == 3
    out = capsys.readouterr().out
    assert "the world failed in every try" in out
    assert "stopped" not in out
    given = parts(tmp_path, store=MemoryStore(), environment=Crashing())
    assert main([*arguments, "--json"], parts=given) == 3
    assert lines(capsys.readouterr().out)[-1]["exit"] == 3


def test_practice_that_could_be_tried_at_all_is_exit_code_zero(tmp_path, capsys):
    class Once(Crashing):
        def step(self, action):
            type(self).step = Crashing.step
            return Corridor.step(self, action)

    assert main(["learn", "corridor/press"], parts=parts(tmp_path, store=MemoryStore(), environment=Once())) == 0


def test_a_spent_budget_is_exit_code_four_and_says_which(tmp_path, capsys):
    store = MemoryStore()
    assert main(["run", "corridor/press", "--token-limit", "1"], parts=parts(tmp_path, store=store)) == 4
    assert "1 tokens are spent" in capsys.readouterr().err
    assert kinds(store) == ["attempted"]
    assert main(["run", "corridor/press", "--token-limit", "1", "--json"], parts=parts(tmp_path)) == 4
    assert lines(capsys.readouterr().out)[-1]["exit"] == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "what is to be done?"),
        (["run", "press something"], "add --url URL or --env"),
        (["run", "--url", "http://localhost"], "give the goal in words"),
        (["run", "x y", "--url", "localhost/x"], "has no scheme"),
        (["run", "x y", "--url", "http://[1"], "is not an address"),
        (["run", "x y", "--url", "http://x", "--env", "miniwob/a"], "give one of them"),
        (["run", "--env", "miniwob"], "environment/task"),
        (["run", "log out", "--env", "miniwob/login-user"], "leave out the words, or leave out --env"),
        (["run", "nowhere/task"], "no environment 'nowhere'"),
        (["learn", "no-such-suite"], "no suite 'no-such-suite'"),
        (["learn", "corridor/press,corridor/pull", "--tasks", "corridor/pres"], "has no task 'corridor/pres'"),
        (["chat"], "what is to be done?"),
        (["chat", "--env", "corridor/x", "--session", "../x"], "session '../x'"),
    ],
)
def test_a_user_s_mistake_is_one_line_on_stderr_and_exit_code_two(tmp_path, capsys, arguments, said):
    assert main(arguments, parts=parts(tmp_path)) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert said in printed.err
    assert "Traceback" not in printed.err


def test_debug_shows_where_an_error_came_from(tmp_path, capsys):
    assert main(["--debug", "run"], parts=parts(tmp_path)) == 2
    assert "Traceback" in capsys.readouterr().err


def test_run_as_json_is_one_object_a_line_and_the_last_is_the_result(tmp_path, capsys):
    assert main(["run", "corridor/press", "--json"], parts=parts(tmp_path, store=MemoryStore())) == 0
    printed = capsys.readouterr()
    events = lines(printed.out)
    first = ["start", "plan", "route", "step", "verdict"]
    assert [event["event"] for event in events[:10]] == first * 2
    learning = [event["event"] for event in events[10:] if event["event"] != "pair"]
    assert learning == ["lesson", "edit", "decision", "result"]
    result = events[-1]
    assert result["exit"] == 0
    assert [one["success"] for one in result["attempts"]] == [False, True]
    assert result["decisions"][0]["accepted"]
    assert printed.err == ""


def test_practice_over_a_suite_ends_with_what_was_learnt_and_what_it_cost(tmp_path, capsys):
    store = MemoryStore()
    arguments = ["learn", "corridor/press,corridor/push", "--seeds", "2"]
    assert main(arguments, parts=parts(tmp_path, store=store)) == 0
    out = capsys.readouterr().out
    assert "── 2 of 2: corridor/push" in out
    assert "accepted  skill press-white v1 (new), example press-white-example" in out
    assert "route " not in out
    attempts = [e.entry for e in store.events() if isinstance(e.entry, Attempted)]
    decisions = [e.entry.decision for e in store.events() if isinstance(e.entry, Decided)]
    acting = sum(one.usage.tokens_in + one.usage.tokens_out for one in attempts)
    gating = sum(one.usage.tokens_in + one.usage.tokens_out for one in decisions)
    table = dict(line.split(maxsplit=1) for line in out.splitlines() if line.startswith(("acting ", "gating ")))
    assert table["acting"].split()[0] == f"{acting:,}"
    assert table["gating"].split()[0] == f"{gating:,}"


def test_practice_that_is_resumed_leaves_out_what_was_practised_but_for_the_last(tmp_path, capsys):
    store = MemoryStore()
    assert main(["learn", "corridor/press,corridor/push"], parts=parts(tmp_path, store=store)) == 0
    capsys.readouterr()
    command = ["learn", "corridor/press,corridor/push,corridor/pull", "--resume"]
    assert main(command, parts=parts(tmp_path, store=store)) == 0
    out = capsys.readouterr().out
    assert "1 of 3 tasks were practised before" in out
    assert [line for line in out.splitlines() if line.startswith("──")] == [
        "── 1 of 2: corridor/push",
        "── 2 of 2: corridor/pull",
        "── looking after the library",
    ]


def test_more_practice_is_of_what_failed_of_late_and_on_new_instances(tmp_path, capsys):
    hopeless, store = Lucky(), MemoryStore()
    hopeless._cold = ScriptedLLM(lambda messages, role: hopeless_reply(messages, role))
    used = parts(tmp_path, store=store, llm=hopeless)
    command = ["learn", "corridor/press", "--seeds", "2", "--set", "programs=off", "--more", "2"]
    assert main(command, parts=used) == 0
    tried = [event.entry for event in store.events() if isinstance(event.entry, Attempted)]
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("──")] == [
        "── 1 of 1: corridor/press",
        "── 1 of 2: corridor/press from seed 2",
        "── 2 of 2: corridor/press from seed 4",
    ]
    assert {one.task.seed for one in tried} == set(range(6))


def test_what_was_refused_is_listed_with_its_reason(tmp_path, capsys):
    hopeless = Lucky()
    hopeless._cold = ScriptedLLM(lambda messages, role: hopeless_reply(messages, role))
    store = MemoryStore()
    arguments = ["learn", "corridor/press", "--set", "programs=off"]
    assert main(arguments, parts=parts(tmp_path, store=store, llm=hopeless)) == 0
    out = capsys.readouterr().out
    assert "refused" in out
    assert "does not solve what it was learnt from" in out
    assert len(store.load()) == 0
    assert main(["skills", "log", "--refused"], parts=parts(tmp_path, store=store)) == 0
    assert "does not solve what it was learnt from" in capsys.readouterr().out


def test_a_program_helps_a_model_that_nothing_else_helps(tmp_path, capsys):
    hopeless = Lucky()
    hopeless._cold = ScriptedLLM(lambda messages, role: hopeless_reply(messages, role))
    store = MemoryStore()
    assert main(["learn", "corridor/press"], parts=parts(tmp_path, store=store, llm=hopeless)) == 0
    assert "accepted  skill press-white v1 (new)" in capsys.readouterr().out
    used = parts(tmp_path, store=store, llm=hopeless)
    assert main(["run", "corridor/press", "--no-learn"], parts=used) == 0
    assert "[program]" in capsys.readouterr().out
    assert main(["run", "corridor/press", "--no-learn", "--json"], parts=used) == 0
    (attempt,) = lines(capsys.readouterr().out)[-1]["attempts"]
    assert (attempt["model_free_steps"], attempt["programs"], attempt["surprise"]) == (1, ["press-white"], "")


def test_a_program_that_is_not_for_this_page_says_why(tmp_path, capsys):
    store = MemoryStore()
    assert main(["learn", "corridor/press"], parts=parts(tmp_path, store=store)) == 0
    capsys.readouterr()

    class Painted(Corridor):
        colours = ("red", "green", "blue", "black")

    used = parts(tmp_path, store=store, environment=Painted())
    main(["run", "corridor/press", "--no-learn"], parts=used)
    assert 'program not run: there is no button "white"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "what"),
    [("programs", "say option=value"), ("program=off", "did you mean programs"), ("programs=maybe", "option programs")],
)
@pytest.mark.parametrize("command", [["learn", "corridor/press"], ["run", "corridor/press"], ["chat", "--env", "x/y"]])
def test_an_option_that_is_none_is_refused_with_the_remedy(command, option, what, tmp_path, capsys):
    assert main([*command, "--set", option], parts=parts(tmp_path, store=MemoryStore())) == 2
    assert what in capsys.readouterr().err


@pytest.mark.parametrize("command", [["run", "corridor/press", "--no-learn"], ["chat", "--env", "corridor/press"]])
def test_what_is_set_is_what_the_agent_is_opened_with(command, tmp_path):
    """What such an agent then does is held by `tests/loop/test_build.py`."""
    given, opened = parts(tmp_path, store=MemoryStore()), []

    def agent(settings, *, options, **rest):
        opened.append(options)
        return given.agent(settings, options=options, **rest)

    used = replace(given, agent=agent, lines=lambda prompt: [])
    main([*command, "--set", "memory.recall=on", "--set", "similar.most=2", "--set", "practice.seeds=2"], parts=used)
    (options,) = opened
    assert (options.memory.recall, options.similar.most, options.practice.seeds) == (True, 2, 2)


def test_what_others_did_is_learnt_from(tmp_path, capsys):
    """The agent never finds the way by itself; another, who knows it, shows it once."""
    knows, store = Lucky(), MemoryStore()
    knows._cold = knows._warm
    folder = str(tmp_path / "shown")
    arguments = ["run", "corridor/press", "--no-learn", "--keep", folder]
    assert main(arguments, parts=parts(tmp_path, store=MemoryStore(), llm=knows)) == 0
    arguments = ["learn", "corridor/press", "--demos", folder, "--retries", "0"]
    assert main(arguments, parts=parts(tmp_path, store=store)) == 0
    assert "accepted  skill press-white v1 (new)" in capsys.readouterr().out
    assert store.load().demonstrations["press-white-example"].source == "oracle"
    arguments = ["learn", "corridor/push", "--demos", folder, "--retries", "0"]
    assert main(arguments, parts=parts(tmp_path, store=MemoryStore())) == 0
    assert "--demos: nothing is learnt from corridor/press: not among the tasks" in capsys.readouterr().out


def test_what_others_did_on_seeds_that_measure_is_never_learnt_from(tmp_path, capsys):
    arguments = ["run", "corridor/press", "--seed", "2000000", "--keep", str(tmp_path)]
    main(arguments, parts=parts(tmp_path, store=MemoryStore()))
    arguments = ["learn", "corridor/press", "--demos", str(tmp_path)]
    assert main(arguments, parts=parts(tmp_path, store=MemoryStore())) == 2
    assert "holdout seed; learning uses practice seeds only" in capsys.readouterr().err
    assert main([*arguments[:3], str(tmp_path / "none")], parts=parts(tmp_path, store=MemoryStore())) == 2
    assert "no episodes there" in capsys.readouterr().err


def hopeless_reply(messages, role):
    """Acts as if nothing had been learnt."""
    from corridor_parts import _cold

    plain = [one.model_copy(update={"content": one.content.replace("<skill>", "")}) for one in messages]
    return _cold(plain, role)


def test_ctrl_c_while_practising_keeps_what_was_committed_and_says_how_to_go_on(tmp_path, capsys):
    class Stopped(Corridor):
        def reset(self, task):
            if task.name == "push":
                raise KeyboardInterrupt
            return super().reset(task)

    store = MemoryStore()
    code = main(
        ["learn", "corridor/press,corridor/push,corridor/pull"],
        parts=parts(tmp_path, store=store, environment=Stopped(dict.fromkeys(Corridor.colours, "white"))),
    )
    assert code == 130
    out = capsys.readouterr().out
    assert "stopped; tasks not reached: 2." in out
    assert "The same command goes on" in out
    assert "press-white" in store.load().skills


def test_learn_as_json_ends_with_one_result(tmp_path, capsys):
    assert main(["learn", "corridor/press", "--json", "--seeds", "1"], parts=parts(tmp_path, store=MemoryStore())) == 0
    result = lines(capsys.readouterr().out)[-1]
    assert (result["event"], result["exit"], result["tasks_left"]) == ("result", 0, 0)
    assert set(result["spent"]) == {"acting", "gating", "reflecting"}
    assert {what: one["calls"] > 0 for what, one in result["spent"].items()} == dict.fromkeys(result["spent"], True)
    assert result["spent"]["reflecting"]["calls"] == 1


def test_a_run_is_filmed_from_its_start_to_its_last_action(tmp_path, capsys):
    film, world = tmp_path / "films" / "press.gif", Seen()
    command = ["run", "corridor/press", "--no-learn", "--video", str(film)]
    assert main(command, parts=parts(tmp_path, store=MemoryStore(), environment=world)) == 0
    assert f"film    {film}: 2 pictures" in capsys.readouterr().out
    with Image.open(film) as shown:
        colours = [shown.seek(n) or shown.convert("RGB").getpixel((5, 5)) for n in range(shown.n_frames)]
    assert colours == [(255, 0, 0), (0, 128, 0)]


def test_what_is_replayed_for_the_gate_is_not_filmed(tmp_path, capsys):
    film, world = tmp_path / "press.gif", Seen(dict.fromkeys(Corridor.colours, "white"))
    store = MemoryStore()
    command = ["run", "corridor/press", "--video", str(film)]
    assert main(command, parts=parts(tmp_path, store=store, environment=world)) == 0
    tries = kinds(store).count("attempted")
    assert f"film    {film}: {2 * tries} pictures" in capsys.readouterr().out
    assert world.resets > tries, "the gate has replayed something"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("film.avi", "a film ends in .gif or .mp4"),
        ("film", "a film ends in .gif or .mp4"),
        ("file/film.gif", "no film can be written there"),
        ("folder.gif", "no film can be written there: Is a directory"),
    ],
)
def test_a_film_that_cannot_be_written_is_refused_before_anything_is_played(tmp_path, capsys, name, said):
    (tmp_path / "file").touch()
    (tmp_path / "folder.gif").mkdir()
    world, store = Seen(), MemoryStore()
    command = ["run", "corridor/press", "--video", str(tmp_path / name)]
    assert main(command, parts=parts(tmp_path, store=store, environment=world)) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {tmp_path / name}: ")
    assert said in printed.err
    assert printed.out == ""
    assert (world.resets, kinds(store)) == (0, [])


def test_a_film_that_is_there_stays_where_nothing_is_filmed(tmp_path, capsys):
    film = tmp_path / "press.gif"
    film.write_bytes(b"an older one")
    command = ["run", "nowhere/press", "--video", str(film)]
    assert main(command, parts=parts(tmp_path, store=MemoryStore())) == 2
    assert film.read_bytes() == b"an older one"
    assert main(["run", "nowhere/press", "--video", str(tmp_path / "new.gif")], parts=parts(tmp_path)) == 2
    assert not (tmp_path / "new.gif").exists()
