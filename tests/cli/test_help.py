"""What a user reads before anything runs: help, reference, exit codes, and what it costs to show them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skillagent.cli import COMMANDS, loaded, main
from skillagent.cli.exits import Exit, exit_of
from skillagent.cli.reference import reference, walk
from skillagent.errors import BudgetSpent, ConfigError, EnvironmentFailed, InvalidAction, LLMUnavailable, NotFound

ROOT = Path(__file__).parents[2]
HEAVY = {
    "chromadb",
    "litellm",
    "llama_cpp",
    "numpy",
    "onnxruntime",
    "openai",
    "playwright",
    "pydantic",
    "pydantic_settings",
    "rich",
    "torch",
    "yaml",
}
WALKED = list(walk())


def loaded_by(code):
    """Return the packages that a fresh process has loaded after running `code`."""
    ask = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd=ROOT)
    return {module.split(".")[0] for module in done.stderr.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["skills", "--help"], ["run", "--help"]])
def test_help_loads_no_heavy_package(arguments):
    by_typer = {"pydantic"} if len(arguments) > 1 else set()  # typer reads a command's own options with it
    assert not (HEAVY - by_typer) & loaded_by(f"from skillagent.cli import main; main({arguments!r})")


def test_looking_at_skills_loads_no_model_and_no_browser(tmp_path):
    code = f"import os; os.chdir({str(tmp_path)!r}); from skillagent.cli import main; main(['skills', 'list'])"
    found = loaded_by(code)
    assert "yaml" in found
    assert not found & (HEAVY - {"numpy", "pydantic", "pydantic_settings", "yaml"})


def test_main_help_names_every_command_and_every_exit_code(capsys):
    assert main(["--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {summary}" in out for name, (_, summary) in COMMANDS.items())
    assert all(code.meaning in out for code in Exit)


@pytest.mark.parametrize(("typed", "command"), [pytest.param(typed, one, id=typed) for typed, one, _ in WALKED])
def test_every_command_has_help_with_an_example_of_itself(typed, command):
    assert command.help
    assert len(command.help) > 20
    assert f"  {typed}" in command.epilog.partition("Examples:")[2]


@pytest.mark.parametrize(
    ("typed", "parameter"),
    [
        pytest.param(typed, one, id=f"{typed} {one.name}")
        for typed, command, _ in WALKED
        for one in command.params
        if one.name != "help"
    ],
)
def test_every_option_and_argument_says_what_it_is(typed, parameter):
    assert parameter.help


@pytest.mark.parametrize(
    ("typed", "command"),
    [pytest.param(typed, one, id=typed) for typed, one, _ in WALKED if not hasattr(one, "commands")],
)
def test_every_command_has_json(typed, command):
    assert "--json" in [option for one in command.params for option in one.opts]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_main_help_is_the_command_s_own_first_line(name):
    assert loaded(name).help.splitlines()[0] == COMMANDS[name][1]


def test_the_reference_in_docs_is_current():
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference(), "run `make reference`"


def test_the_example_of_settings_is_current():
    from skillagent.config import example_file

    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example_file(), "run `make env-example`"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (NotFound("x"), 2),
        (InvalidAction("x"), 2),
        (EnvironmentFailed("x"), 3),
        (LLMUnavailable("x"), 3),
        (BudgetSpent("x"), 4),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert exit_of(error) == code


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["skills", "list"], {"SKILLS": "{file}"}, "{file} is not a folder"),
        (["skills", "log"], {"SKILLS": "{file}/x"}, "{file} is not a folder"),
        (["skills", "log"], {"MEMORY": "{file}"}, "{file} is not a folder"),
        (["models", "pull", "smollm2-135m"], {"HOME": "{file}"}, "cannot make the folder of models {file}/models"),
        (["skills", "export", "mine", "{file}"], {}, "cannot write into {file}"),
        (["skills", "list"], {"TOKEN_LIMIT": "-1"}, "SKILLAGENT_TOKEN_LIMIT: should be greater than or equal"),
        (["skills", "list"], {"TIME_LIMIT_S": "-1"}, "SKILLAGENT_TIME_LIMIT_S: should be greater than or equal"),
        (["skills", "list"], {"COST_LIMIT": "-1"}, "SKILLAGENT_COST_LIMIT: should be greater than or equal"),
        (["insights", "list"], {"MEMORY": "{odd}"}, "{odd}/insights.jsonl: Is a directory"),
    ],
)
def test_a_wrong_place_or_limit_is_one_line_that_names_it(tmp_path, arguments, settings, said):
    file, odd, mine = tmp_path / "file", tmp_path / "odd", tmp_path / "skills" / "mine"
    file.touch()
    (odd / "insights.jsonl").mkdir(parents=True)
    mine.mkdir(parents=True)
    (mine / "SKILL.md").write_text('---\nname: mine\ndescription: "Use it."\n---\n\nbody\n', encoding="utf-8")
    places = {"file": file, "odd": odd}
    done = subprocess.run(
        [sys.executable, "-m", "skillagent.cli", *(one.format(**places) for one in arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {f"SKILLAGENT_{name}": text.format(**places) for name, text in settings.items()},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert said.format(**places) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_command_is_answered_with_a_near_one(capsys):
    assert main(["skils"]) == 2
    assert "skills" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    command = f"{sys.executable} -m skillagent.cli models list | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    assert done.returncode in (0, 1)


def test_the_process_exits_with_the_command_s_code(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "skillagent.cli", "skills", "show", "no-such"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no skill 'no-such' in the library\n"
