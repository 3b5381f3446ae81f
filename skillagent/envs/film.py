"""Film: an episode as moving pictures.

A world that moves while it acts films itself, picture by picture (`Moving`); of any other, a picture is taken at the
start and after every action. Pictures are PNG. Nothing is drawn that is not asked for: drawing costs more than acting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from skillagent.errors import ConfigError
from skillagent.ports import Environment
from skillagent.schema import Action, Attempt, Observation, Outcome, Task, Variation, Verb

if TYPE_CHECKING:
    from PIL.Image import Image

Take = Callable[[Callable[[], bytes]], None]

FORMATS = (".gif", ".mp4")
_STILL_S = 0.7  # how long a picture of a world that stands still is shown
_LAST_S = 1.5
_WIDTH = 480  # pixels of a film; larger pictures are scaled down
_COLOURS = 64  # of a GIF


@runtime_checkable
class Moving(Protocol):
    """An environment that moves while it acts."""

    fps: float

    def film(self, take: Take | None) -> None:
        """Call `take` with what draws the present picture, `fps` times a second of the world's; None: no more."""
        ...


class Film:
    """The pictures of what is tried while it rolls."""

    def __init__(self) -> None:
        self.rolling = False
        self._pictures: list[tuple[bytes, float]] = []

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self._pictures)

    def take(self, draw: Callable[[], bytes], seconds: float) -> None:
        """Take a picture, to be shown for so long, if the film rolls."""
        if self.rolling:
            self._pictures.append((draw(), seconds))

    def of(self, environment: Environment) -> Environment:
        """Return the environment, filmed."""
        if isinstance(environment, Moving):
            pause = 1 / environment.fps
            environment.film(lambda draw: self.take(draw, pause))
        return _Filmed(environment, self)

    def rolled(self, attempt: Callable[[Task, Variation], Attempt]) -> Callable[[Task, Variation], Attempt]:
        """Return what makes an attempt as something that films it."""

        def filming(task: Task, variation: Variation) -> Attempt:
            self.rolling = True
            try:
                return attempt(task, variation)
            finally:
                self.rolling = False

        return filming

    def write(self, file: Path) -> None:
        """Write the film, as GIF or MP4 by the file's ending.

        Raises:
            ConfigError: There is no picture, another ending, or nothing to write films with.
        """
        checked(file)
        if not self._pictures:
            raise ConfigError(f"{file}: there is nothing to show: no picture was taken")
        frames = [_small(picture) for picture, _ in self._pictures]
        pauses = [seconds for _, seconds in self._pictures[:-1]] + [_LAST_S]
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".gif":
            _gif(file, frames, pauses)
        else:
            _mp4(file, frames, pauses)


def checked(file: Path) -> Path:
    """Return the file; raises ConfigError where no film can be written to it, before anything is done."""
    if file.suffix not in FORMATS:
        raise ConfigError(f"{file}: a film ends in {' or '.join(FORMATS)}")
    try:
        import PIL  # noqa: F401

        if file.suffix == ".mp4":
            import imageio_ffmpeg  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"{file}: films need more ({error}); pip install 'skillagent[video]'") from error
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        there = file.exists()
        with file.open("ab"):  # whether it can be written is known by trying; what is in it stays until the film is
            pass
        if not there:
            file.unlink()
    except OSError as error:
        raise ConfigError(f"{file}: no film can be written there: {error.strerror}") from error
    return file


class _Filmed:
    """An environment of which a picture is taken at the start and after every action."""

    def __init__(self, environment: Environment, film: Film) -> None:
        self._environment, self._film = environment, film

    @property
    def verbs(self) -> tuple[Verb, ...]:
        return self._environment.verbs

    def reset(self, task: Task) -> Observation:
        first = self._environment.reset(task)
        self._still()
        return first

    def step(self, action: Action) -> Outcome:
        outcome = self._environment.step(action)
        if not isinstance(self._environment, Moving):
            self._still()
        return outcome

    def screenshot(self) -> bytes:
        return self._environment.screenshot()

    def close(self) -> None:
        self._environment.close()

    def _still(self) -> None:
        self._film.take(self.screenshot, _STILL_S)


def _small(picture: bytes) -> Image:
    from PIL import Image

    frame = Image.open(BytesIO(picture)).convert("RGB")
    frame.thumbnail((_WIDTH, _WIDTH))
    return frame.crop((0, 0, frame.width // 2 * 2, frame.height // 2 * 2))  # films have even sides


def _gif(file: Path, frames: Sequence[Image], pauses: Sequence[float]) -> None:
    drawn = [frame.quantize(_COLOURS) for frame in frames]
    drawn[0].save(
        file,
        save_all=True,
        append_images=drawn[1:],
        duration=[round(1000 * one) for one in pauses],
        loop=0,
        optimize=True,
    )


def _mp4(file: Path, frames: Sequence[Image], pauses: Sequence[float]) -> None:
    import imageio_ffmpeg

    rate = 1 / min(pauses)
    size = frames[0].size
    writer = imageio_ffmpeg.write_frames(str(file), size, fps=rate, macro_block_size=2, ffmpeg_log_level="error")
    writer.send(None)
    try:
        for frame, pause in zip(frames, pauses, strict=True):
            for _ in range(max(1, round(pause * rate))):
                writer.send(frame.resize(size).tobytes())
    finally:
        writer.close()
