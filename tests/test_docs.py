"""What the documents say is true: the README's example runs, and its files and commands exist."""

import re
from pathlib import Path

import pytest

import skillagent

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.model
@pytest.mark.browser
def test_the_readme_example_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[-1] == "[]"
    assert (tmp_path / "my" / "memory" / "ledger.jsonl").read_text(encoding="utf-8").count("\n") == 2


def test_the_readme_example_is_about_ten_lines():
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 10


def test_every_file_that_the_documents_link_to_exists():
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (document.parent / link).exists(), f"{document.name} links to {link}"


def test_every_exported_name_can_be_imported():
    for name in skillagent.__all__:
        assert getattr(skillagent, name) is not None
