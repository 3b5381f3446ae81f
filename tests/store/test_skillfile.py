"""Skill files: what we write is read back equal, by us and by others; what others write is read as well as can be."""

import logging
import tempfile
from pathlib import Path

import pytest
import skills_ref.parser
import skills_ref.validator
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from skillagent.errors import InvalidSkill
from skillagent.schema import Skill
from skillagent.store import skillfile

NASTY = ["---", "--- ---", "-" * 7, "\n---\n", "a: b", "#", "'", '"', "\\", "\\n", "<b>", "{{x}}", "*a", "&a", "!!int"]
NASTY += [
    "\u2028",
    "\u2029",
    "\x85",
    "\ufeff",
    "é",
    "日本",
    "😀",
    "\u200b",
    "\t",
    "%",
    "@",
    "`",
    "null",
    "1e3",
    "---\nname: x",
]

characters = st.characters(
    exclude_categories=["Cs"], exclude_characters="".join(map(chr, [*range(9), *range(11, 32), 127]))
)
text = st.lists(st.one_of(st.sampled_from(NASTY), st.text(characters, max_size=12)), max_size=5).map("".join)
names = st.from_regex(r"\A[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,4}\Z")
paths = st.from_regex(r"\A[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}\.(md|yaml)\Z")
contents = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
skills = st.builds(
    Skill,
    name=names,
    description=text.filter(lambda text: text.strip() and len(text) <= 1024),
    body=text,
    version=st.integers(1, 10**6),
    domain=text,
    goals=st.lists(text, max_size=4).map(tuple),
    license=st.none() | text,
    compatibility=st.none() | text.filter(lambda text: len(text) <= 500),
    allowed_tools=st.none() | text,
    metadata=st.dictionaries(text.filter(lambda key: 0 < len(key) <= 100), text, max_size=3),
)
quick = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def skill(**fields: object) -> Skill:
    return Skill(**{"name": "log-in", "description": "Logs in. Use when asked to.", "body": "Do it.\n", **fields})


def write(folder: Path, content: str | bytes, name: str = "SKILL.md") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@quick
@given(skills)
@example(skill(body="---\n---\nname: other\n"))
@example(skill(name="123", goals=("a --- b", "", "\n")))
@example(skill(metadata={"yes": "no", "<<": "x", "a:b": "- c", "---": "----"}))
@example(skill(body=""))
@example(skill(body="\n\n x"))
def test_a_skill_is_read_back_as_it_was_written(written):
    assert skillfile.parse(skillfile.dump(written), source="here") == written


@quick
@given(skills)
@example(skill(name="null"))
@example(skill(name="1e3", license="", metadata={"on": "off", "2024-01-01": "~", "=": "-" * 9}))
def test_skills_ref_and_plain_yaml_read_what_we_write_alike_and_find_it_valid(written):
    content = skillfile.dump(written)
    assert content.encode().decode() == content

    theirs, _ = skills_ref.parser.parse_frontmatter(content)
    assert skills_ref.validator.validate_metadata(theirs) == []
    plain = yaml.safe_load(content.split("\n---\n")[0])
    assert plain == theirs
    assert plain["description"] == written.description
    assert {**plain["metadata"], **written.metadata} == plain["metadata"]
    assert "---" not in content.removeprefix("---").split("\n---\n")[0]


@settings(max_examples=25)
@given(skills, st.dictionaries(paths, contents, max_size=3))
def test_a_folder_of_ours_passes_skills_ref_and_is_read_with_its_files(written, files):
    with tempfile.TemporaryDirectory() as temporary:
        folder = write(Path(temporary) / written.name, skillfile.dump(written))
        files = {path: text for path, text in files.items() if not any(other.startswith(path + "/") for other in files)}
        for path, content in files.items():
            write((folder / path).parent, content, Path(path).name)

        assert skills_ref.validator.validate(folder) == []
        assert skillfile.read(folder) == written.model_copy(update={"files": files})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"body": "a\rb"}, r"body holds '\r' at 1"),
        ({"goals": ("x", "a\x00")}, r"goals[1] holds '\x00' at 1"),
        ({"domain": "\ud83d"}, r"domain holds '\ud83d' at 0"),
        ({"description": " \n"}, "the description is empty"),
        ({"description": "x" * 1025}, "description has 1025 characters; at most 1024"),
        ({"compatibility": "x" * 501}, "compatibility has 501 characters; at most 500"),
        ({"metadata": {"skillagent-version": "7"}}, "metadata key 'skillagent-version' is ours"),
        ({"files": {"../x.md": ""}}, "'../x.md' is not a file's path"),
        ({"files": {"/etc/x": ""}}, "'/etc/x' is not a file's path"),
        ({"files": {"skill.md": ""}}, "'skill.md' is not a file's path"),
        ({"files": {".git/config": ""}}, "'.git/config' is not a file's path"),
        ({"files": {"a//b": ""}}, "'a//b' is not a file's path"),
        ({"files": {"a": "", "a/b": ""}}, "'a/b' lies below another file"),
        ({"files": {"a": "x\0"}}, "only text up to"),
        ({"files": {"a": "x" * (256 * 1024 + 1)}}, "only text up to"),
        ({"name": "Log_In"}, "skill name 'Log_In'"),
    ],
)
def test_what_no_such_file_can_hold_is_refused_with_the_field_named(fields, problem):
    with pytest.raises(InvalidSkill) as refusal:
        skillfile.dump(skill(**fields))
    assert problem in str(refusal.value)


def test_cleaning_makes_any_text_writable_and_leaves_clean_text_alone():
    dirty = skill(body="a\r\nb\rc\x00\ud83d", goals=("\x1bg",), files={"a": "x\0\r\n"}, metadata={"k\x07": "v\r"})

    assert skillfile.cleaned(dirty) == skill(body="a\nb\nc", goals=("g",), files={"a": "x\r\n"}, metadata={"k": "v\n"})
    assert skillfile.cleaned(skill(foreign=True)) == skill()


@pytest.mark.parametrize(
    ("content", "expected", "warning"),
    [
        pytest.param(
            '---\r\nname: log-in\r\ndescription: "D"\r\n---\r\n\r\nA\r\nB\r\n',
            {"description": "D", "body": "A\nB\n"},
            None,
            id="CRLF",
        ),
        pytest.param("\ufeff---\nname: log-in\ndescription: D\n---\nA\n", {"body": "A\n"}, None, id="BOM"),
        pytest.param("---\n{name: log-in, description: D}\n---\nA\n", {"description": "D"}, None, id="flow mapping"),
        pytest.param("--- {name: log-in, description: D} ---\nA\n", {"body": "A\n"}, None, id="one line"),
        pytest.param(
            "---\nname: log-in\ndescription: |\n  One.\n  Two.\nlicense: >-\n  a\n  b\n---\n",
            {"description": "One.\nTwo.", "license": "a b", "body": ""},
            None,
            id="block scalars",
        ),
        pytest.param(
            "---\nname: log-in\ndescription: Use when: asked\n  to\n---\nA\n",
            {"description": "Use when: asked to"},
            "the frontmatter is not YAML",
            id="a colon in plain text",
        ),
        pytest.param(
            "---\nname: log-in\ndescription: D\nauthor: me\nversion: 1.10\n---\n",
            {"metadata": {"author": "me", "version": "1.10"}},
            "unknown key 'author'",
            id="extra keys",
        ),
        pytest.param(
            "---\nname: log-in\ndescription: D\nmetadata:\n  n: 1.0\n  tags: [a, b]\n  deep: {x: y}\n---\n",
            {"metadata": {"n": "1.0", "tags": "a, b", "deep": '{"x": "y"}'}},
            "metadata.tags is not a string",
            id="metadata that is not strings",
        ),
        pytest.param(
            "---\nname: log-in\ndescription: D\nallowed-tools:\n - Read\n - Bash\n---\n",
            {"allowed_tools": "Read, Bash"},
            "allowed-tools is not a string",
            id="a list of tools",
        ),
        pytest.param(
            "---\nname: log-in\n---\n\n# Logs people in\n",
            {"description": "Logs people in"},
            "no description",
            id="none",
        ),
        pytest.param(
            "---\nname: Other Name\ndescription: D\n---\n", {"name": "log-in"}, "'Other Name'", id="another name"
        ),
        pytest.param("---\ndescription: D\n---\n", {"name": "log-in"}, "the name ''", id="no name"),
    ],
)
def test_a_foreign_skill_is_read_leniently_with_a_warning_that_names_the_file(
    tmp_path, caplog, content, expected, warning
):
    folder = write(tmp_path / "log-in", content)

    with caplog.at_level(logging.WARNING, "skillagent.store"):
        read = skillfile.read(folder)

    assert read.foreign
    assert (read.name, read.version) == ("log-in", 1)
    assert {key: getattr(read, key) for key in expected} == expected
    if warning is None:
        assert caplog.messages == []
    else:
        assert any(warning in message and str(folder / "SKILL.md") in message for message in caplog.messages)
    assert skillfile.parse(skillfile.dump(read), source="") == read.model_copy(update={"foreign": False})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"# Just text\n", "line 1: no frontmatter"),
        (b"", "line 1: no frontmatter"),
        (b"---\nname: log-in\n", "not closed"),
        (b"---\n- a\n- b\n---\n", "cannot be read"),
        (b"---\nname: \xff\n---\n", "not UTF-8"),
        (b"---\na: &a [x, x]\nb: [*a, *a]\n---\n", "aliases"),
        (b"---\na: " + b"[" * 5000 + b"\n---\n", "cannot be read"),
    ],
)
def test_a_folder_that_is_no_skill_is_refused_with_the_file_named(tmp_path, content, problem):
    folder = write(tmp_path / "log-in", content)
    with pytest.raises(InvalidSkill, match=problem) as refusal:
        skillfile.read(folder)
    assert str(folder / "SKILL.md") in str(refusal.value)


def test_a_lower_case_skill_md_is_read_and_a_folder_without_either_is_refused(tmp_path):
    write(tmp_path / "log-in", "---\nname: log-in\ndescription: D\n---\n", "skill.md")
    (tmp_path / "empty").mkdir()

    assert skillfile.read(tmp_path / "log-in").name == "log-in"
    with pytest.raises(InvalidSkill, match="no SKILL"):
        skillfile.read(tmp_path / "empty")


def test_only_text_of_bounded_size_below_the_folder_becomes_part_of_a_skill(tmp_path):
    folder = write(tmp_path / "log-in", skillfile.dump(skill()))
    write(folder / "scripts" / "deep", "x\r\n", "kept.txt")
    write(folder / "assets", b"\x89PNG\x00", "picture.png")
    write(folder / "assets", b"\xff\xfe", "latin.txt")
    write(folder, "x" * (256 * 1024 + 1), "large.txt")
    write(folder, "x", ".hidden")
    write(folder / "__pycache__", "x", "a.pyc")
    (folder / "link.txt").symlink_to(folder / "large.txt")

    assert skillfile.read(folder).files == {"scripts/deep/kept.txt": "x\r\n"}
