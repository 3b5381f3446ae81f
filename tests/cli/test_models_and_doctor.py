"""`models` and `doctor`: what is here, what is missing, and the remedy for each."""

import io
import json

import pytest
from corridor_parts import parts

from skillagent.cli import main
from skillagent.cli.models import Bar
from skillagent.cli.parts import Parts
from skillagent.config import Settings
from skillagent.llm.catalogue import CATALOGUE


@pytest.fixture
def smollm(tmp_path):
    """A file of the right size where the weights belong, stamped as if it had been hashed."""
    file = CATALOGUE["smollm2-135m"].files[0]
    path = tmp_path / "home" / "models" / file.path
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        stream.truncate(file.size)
    stamp = path.with_name(f".{path.name}.checked")
    stamp.write_text(f"{file.size} {path.stat().st_mtime_ns} {file.sha256}\n")
    return path


def test_list_says_which_weights_are_here(tmp_path, capsys, smollm):
    assert main(["models", "list", "--json"], parts=parts(tmp_path)) == 0
    paths = {entry["name"]: entry["path"] for entry in json.loads(capsys.readouterr().out)}
    assert paths.pop("smollm2-135m") == str(smollm)
    assert set(paths.values()) == {None}
    assert main(["models", "list"], parts=parts(tmp_path)) == 0
    assert "not here" in capsys.readouterr().out


def test_list_and_path_hash_nothing(tmp_path, smollm):
    smollm.with_name(f".{smollm.name}.checked").unlink()
    assert main(["models", "list"], parts=parts(tmp_path)) == 0
    assert main(["models", "path", "smollm2-135m"], parts=parts(tmp_path)) == 0
    assert smollm.exists(), "zeros have another hash: the file would have been removed"


def test_path_prints_the_file_or_says_how_to_fetch_it(tmp_path, capsys, smollm):
    assert main(["models", "path", "smollm2-135m"], parts=parts(tmp_path)) == 0
    assert capsys.readouterr().out == f"{smollm}\n"
    assert main(["models", "path", "minilm-int8"], parts=parts(tmp_path)) == 1
    assert "skillagent models pull minilm-int8" in capsys.readouterr().err
    assert main(["models", "path", "no-such"], parts=parts(tmp_path)) == 2


def test_pull_of_what_is_here_fetches_nothing(tmp_path, capsys, smollm):
    assert main(["models", "pull", "smollm2-135m", "--json"], parts=parts(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(smollm)
    assert main(["models", "pull", "x", "--source", "moon"], parts=parts(tmp_path)) == 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_moves_on_a_terminal_and_is_two_lines_elsewhere():
    ticks = iter([0.0, 0.05, 0.2, 0.3])
    shown = Terminal()
    bar = Bar(shown, clock=lambda: next(ticks))
    for done in (0, 10, 50, 100):
        bar("a.gguf", done * 1_000_000, 100_000_000)
    bar.end()
    assert [part.split("%")[0].split()[-1] for part in shown.getvalue().split("\r")[1:]] == ["0", "50", "100"]
    assert shown.getvalue().endswith("\n")
    piped = io.StringIO()
    quiet = Bar(piped)
    for done in (0, 50, 100):
        quiet("a.gguf", done * 1_000_000, 100_000_000)
    quiet.end()
    assert piped.getvalue() == "a.gguf: 0 of 100 MB\na.gguf: 100 of 100 MB\n"


def test_doctor_names_every_missing_part_with_its_remedy(tmp_path, capsys):
    def settings(**overrides):
        return Settings(
            _env_file=None,
            model="local/qwen2.5-coder-1.5b",
            chromium=tmp_path / "no-browser",
            skills=tmp_path / "skills",
            memory=tmp_path / "memory",
            home=tmp_path / "home",
        )

    assert main(["doctor", "--json"], parts=Parts(settings=settings)) == 1
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert found["python"]["status"] == found["store"]["status"] == "ok"
    assert found["browser"]["status"] == "problem"
    assert found["model"]["remedy"] == "run `skillagent models pull qwen2.5-coder-1.5b`"
    assert found["embedder"]["remedy"] == "run `skillagent models pull minilm-int8`"
    assert not (tmp_path / "memory").exists()
    assert main(["doctor"], parts=Parts(settings=settings)) == 1
    assert "→ run `skillagent models pull minilm-int8`" in capsys.readouterr().out


def test_doctor_finds_a_damaged_ledger(tmp_path, capsys):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "ledger.jsonl").write_text("nonsense\nmore\n", encoding="utf-8")
    assert main(["doctor", "--json"], parts=parts(tmp_path)) == 1
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert "ledger.jsonl: line 1" in found["store"]["detail"]


@pytest.mark.browser
@pytest.mark.model
def test_doctor_finds_this_machine_in_order(tmp_path, capsys):
    def settings(**overrides):
        return Settings(
            _env_file=None, model="local/smollm2-135m", skills=tmp_path / "skills", memory=tmp_path / "memory"
        )

    code = main(["doctor", "--deep", "--json"], parts=Parts(settings=settings))
    found = json.loads(capsys.readouterr().out)
    assert [entry for entry in found if entry["status"] != "ok"] == []
    assert code == 0
