"""The house rules, held by the source itself: floors, no cycles, no hidden imports, a docstring in every module."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "skillagent"
FLOORS = [
    {"schema", "errors"},
    {"library", "goals", "replies", "programs"},
    {"ports"},
    {"prompts"},
    {"acting", "routing", "learning", "practice", "store", "llm", "envs", "testing"},
    {"loop"},
    {"config", "trained", "build"},
    {"evaluation"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
SAME_FLOOR_ALLOWED = {
    ("library", "schema"),
    ("library", "errors"),
    ("trained", "config"),
    ("build", "config"),
    ("build", "trained"),
}
HEAVY = {
    "bm25s",
    "chromadb",
    "huggingface_hub",
    "litellm",
    "llama_cpp",
    "mujoco",
    "onnxruntime",
    "openai",
    "playwright",
    "ray",
    "scipy",
    "sentence_transformers",
    "tokenizers",
    "torch",
}


def modules() -> dict[str, Path]:
    """Return dotted names below the package, `` for the package itself."""
    names = {}
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        names[".".join(p for p in parts if p != "__init__")] = file
    return names


MODULES = modules()


def room_of(module: str) -> str:
    return module.split(".")[0]


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def own_imports(tree: ast.AST) -> set[str]:
    """Return the package's own modules that are imported anywhere in `tree`, without the package's name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "skillagent":
            base = (node.module or "").removeprefix("skillagent").removeprefix(".")
            for alias in node.names:
                full = f"{base}.{alias.name}".strip(".")
                found.add(full if full in MODULES else base)
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("skillagent").removeprefix(".")
                for alias in node.names
                if alias.name.split(".")[0] == "skillagent"
            }
    return found


def top_level(tree: ast.Module) -> ast.Module:
    """Return only what runs at import: no function bodies, no TYPE_CHECKING blocks."""
    body = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    return ast.Module(body=body, type_ignores=[])


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is_for(module):
    assert ast.get_docstring(tree_of(MODULES[module])), f"{MODULES[module]} has no docstring"


@pytest.mark.parametrize("module", [m for m in MODULES if m])
def test_imports_go_strictly_down(module):
    room = room_of(module)
    assert room in FLOOR, f"room {room} stands on no floor: add it to FLOORS, with the reason"
    for imported in own_imports(tree_of(MODULES[module])):
        other = room_of(imported)
        if other in ("", room) or (room, other) in SAME_FLOOR_ALLOWED:
            continue
        assert FLOOR[other] < FLOOR[room], f"{module} imports {imported}, which is not on a lower floor"


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {m: own_imports(top_level(tree_of(f))) - {m} for m, f in MODULES.items()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"import cycle: {' -> '.join((*path, module))}"
        if module not in done:
            for imported in graph.get(module, ()):
                visit(imported, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("module", [m for m in MODULES if room_of(m) != "cli"])
def test_our_own_modules_are_imported_at_the_top_and_nowhere_else(module):
    """The command line is excepted: it loads a command's parts when the command runs."""
    tree = tree_of(MODULES[module])
    hidden = own_imports(tree) - own_imports(top_level(tree))
    typing_only = {
        name
        for node in tree.body
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for name in own_imports(node)
    }
    assert not hidden - typing_only - LAZY.get(module, set()), f"{module} hides imports of {hidden}"


# A module that binds a heavy library at its own top is loaded by the one that needs it.
LAZY = {"llm.local": {"llm.engine"}}


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_where_they_are_used(module):
    if any(module in lazy for lazy in LAZY.values()):
        return
    for node in ast.walk(top_level(tree_of(MODULES[module]))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] not in HEAVY, f"{module} imports {name} at its top"


def test_only_config_reads_the_environment():
    # litellm reads its switch when it is imported; it has to be set before, by the one module that imports it.
    allowed = {"config", "llm.litellm"}
    for module, file in MODULES.items():
        used = {node.attr for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}
        if {"environ", "getenv"} & used:
            assert module in allowed, f"{module} reads the environment; config does that"


def test_nothing_is_executed_as_code():
    for module, file in MODULES.items():
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile"}, f"{module} calls {node.func.id}"
