"""Films: what moves films itself, of the rest a picture is taken after every action; replays are not filmed."""

from io import BytesIO

import pytest
from PIL import Image

from skillagent.envs.film import Film, checked
from skillagent.errors import ConfigError
from skillagent.schema import Action, Attempt, Observation, Outcome, Task, Trajectory, Variation, Verdict

TASK = Task(env="e", name="t")


def png(colour, size=(40, 30)):
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


class Still:
    """A world that changes its colour with every action."""

    verbs = ()
    colours = ("red", "green", "blue")
    at = 0

    def reset(self, task):
        self.at = 0
        return Observation(goal="g", text="")

    def step(self, action):
        self.at += 1
        return Outcome(observation=Observation(goal="g", text=""))

    def screenshot(self):
        return png(self.colours[self.at])

    def close(self):
        self.at = -1


class Arm(Still):
    """A world that moves twice while it acts."""

    fps = 10.0

    def film(self, take):
        self.shoot = take

    def step(self, action):
        for _ in range(2):
            self.shoot(self.screenshot)
        return super().step(action)


def colours(file):
    with Image.open(file) as film:
        return [film.seek(n) or film.convert("RGB").getpixel((5, 5)) for n in range(film.n_frames)]


def played(world, film):
    filmed = film.of(world)
    filmed.reset(TASK)
    for _ in range(2):
        filmed.step(Action(verb="go"))
    return filmed


def test_of_a_world_that_stands_still_a_picture_is_taken_at_the_start_and_after_every_action(tmp_path):
    film = Film()
    film.rolling = True
    played(Still(), film)
    film.write(tmp_path / "film.gif")
    assert colours(tmp_path / "film.gif") == [(255, 0, 0), (0, 128, 0), (0, 0, 255)]


def test_a_world_that_moves_films_itself():
    film = Film()
    film.rolling = True
    played(Arm(), film)
    assert film.count == 1 + 2 * 2


def test_only_what_is_rolled_is_drawn():
    film, world = Film(), Arm()
    world.screenshot = lambda: pytest.fail("drawn for nothing")
    played(world, film)

    def attempt(task, variation):
        played(Still(), film)
        trajectory = Trajectory(task=task, goal="g")
        return Attempt(
            plan=None, route=None, trajectory=trajectory, verdict=Verdict(score=1.0, by="environment"), library="x"
        )

    film.rolled(attempt)(TASK, Variation())
    assert film.count == 3
    assert not film.rolling


def test_a_film_is_written_as_mp4(tmp_path):
    import imageio_ffmpeg

    film = Film()
    film.rolling = True
    played(Still(), film)
    film.write(tmp_path / "film.mp4")
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "film.mp4"))
    assert frames >= 3
    assert seconds == pytest.approx(0.7 * 2 + 1.5, abs=0.8)


def test_another_ending_and_an_empty_film_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"a film ends in \.gif or \.mp4"):
        checked(tmp_path / "film.avi")
    with pytest.raises(ConfigError, match="no picture was taken"):
        Film().write(tmp_path / "film.gif")
