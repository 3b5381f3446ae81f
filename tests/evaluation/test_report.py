"""The report: one page that stands alone and that a browser shows without complaint; and episodes that are kept."""

import base64
import io
import re
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import unquote

import pytest
from PIL import Image
from pressing import ARMS, FROZEN, NONE, TASKS, Pressing, knowing

from skillagent.errors import ConfigError
from skillagent.evaluation.replay import play_again
from skillagent.evaluation.report import write_report
from skillagent.evaluation.rows import read_kept
from skillagent.evaluation.run import evaluate
from skillagent.evaluation.summary import summarise
from skillagent.schema import Action, Decision, Edit, Observation, Outcome, RetireSkill, Step, Task, Trajectory
from skillagent.testing import Corridor

REFUSED = Decision(
    edit=Edit(changes=(RetireSkill(name="s", base=1),), why="w"), accepted=False, reason="refused: <b>no</b> lift"
)


def watched(environment, task, first, *parts, watch, **options):
    """Act, and show each step as the real one does."""
    trajectory = knowing(environment, task, first, *parts, watch=watch, **options)
    for step in trajectory.steps:
        watch(step)
    return trajectory


@pytest.fixture
def run_folder(tmp_path):
    rows = evaluate(Pressing(watched), TASKS, ARMS, tmp_path, keeping=True)
    return rows, summarise(rows, suite="corridors <b>", command=["x"], provenance={"model": "m"}), tmp_path


def test_a_kept_episode_holds_every_state_and_can_be_played_again(run_folder):
    rows, _, folder = run_folder
    kept = read_kept(folder / rows[0].episode)
    assert kept.attempt.trajectory.task == TASKS[0]
    assert [(folder / rows[0].episode).with_name(name).is_file() for name in kept.pictures] == [True, True]
    with Pressing()(ARMS[0]) as agent:
        assert play_again(agent, kept.attempt.trajectory) == []
        other = kept.attempt.trajectory.model_copy(update={"task": Task(env="corridor", name="z", seed=3)})
        assert play_again(agent, other)[0].what == "page"
    with pytest.raises(ConfigError, match="no episode in"):
        read_kept(folder / "rows.jsonl")


def test_a_replay_tells_where_the_world_answers_otherwise(run_folder):
    rows, _, folder = run_folder
    trajectory = read_kept(folder / rows[0].episode).attempt.trajectory

    class Broken(Corridor):
        def step(self, action):
            return super().step(action).model_copy(update={"error": "jammed", "reward": 0.25})

    with Pressing()(ARMS[0]) as agent:
        found = play_again(replace(agent, open=lambda task: Broken()), trajectory)
    assert [(one.step, one.what) for one in found] == [(1, "error"), (1, "reward")]


class Walk(Corridor):
    """Takes three presses to end, and can be told to answer otherwise in the second or the last."""

    def __init__(self, answers=()):
        super().__init__()
        self.answers, self.number = dict(answers), 0

    def step(self, action):
        self.number += 1
        pages = self._observation.model_copy(update={"text": f"page {self.number}"})
        plain = Outcome(observation=pages, reward=float(self.number == 3), terminated=self.number == 3)
        return plain.model_copy(update=self.answers.get(self.number, {}))


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        pytest.param({}, [], id="the same"),
        pytest.param(
            {3: {"observation": Observation(goal="", text="x")}}, [(3, "page", "page 3", "x")], id="last page"
        ),
        pytest.param({3: {"terminated": False}}, [(3, "task", "over", "going on")], id="does not end"),
        pytest.param(
            {2: {"terminated": True}, 3: {"error": "it is over"}},
            [(2, "task", "going on", "over")],
            id="ends too early",
        ),
        pytest.param({2: {"error": "jammed"}}, [(2, "error", "", "jammed")], id="refuses"),
        pytest.param({2: {"reward": 0.5}}, [(2, "reward", "0.0", "0.5")], id="another reward on the way"),
        pytest.param({3: {"reward": 0.5}}, [(3, "reward", "1.0", "0.5")], id="another reward at the end"),
        pytest.param({3: {"truncated": True}}, [], id="who cut it off is not kept"),
    ],
)
def test_a_replay_compares_every_page_refusal_reward_and_the_end(answers, found):
    world, task, steps = Walk(), TASKS[0], []
    seen = world.reset(task)
    for _ in range(3):
        outcome = world.step(Action(verb="click"))
        steps.append(Step(observation=seen, action=Action(verb="click"), reward=outcome.reward))
        seen = outcome.observation
    was = Trajectory(task=task, goal="g", steps=steps, final=seen, reward=1.0, terminated=True)
    with Pressing()(ARMS[0]) as agent:
        world = Walk(answers)
        differences = play_again(replace(agent, open=lambda task: world), was)
    assert [(one.step, one.what, one.was, one.now) for one in differences] == found


def test_a_replay_of_an_episode_without_steps_compares_the_start():
    seen = Observation(goal="g", text="elsewhere")
    with Pressing()(ARMS[0]) as agent:
        (one,) = play_again(agent, Trajectory(task=TASKS[0], goal="g", final=seen))
    assert (one.step, one.what, one.was) == (0, "page", "elsewhere")


class Filmed(Corridor):
    """A corridor that can be seen: a noisy picture, so that it takes some room."""

    def screenshot(self):
        out = io.BytesIO()
        Image.effect_noise((1280, 720), 90).save(out, "PNG")
        return out.getvalue()


class Filming(Pressing):
    """Opens the pressing agent in that corridor."""

    @contextmanager
    def __call__(self, arm):
        world = Filmed()
        with super().__call__(arm) as agent:
            yield replace(agent, open=lambda task: world)


@pytest.fixture
def filmed(tmp_path):
    arms = [NONE, FROZEN.model_copy(update={"name": "frozen#2"})]
    rows = evaluate(Filming(watched), TASKS[:4], arms, tmp_path, keeping=True)
    return rows, summarise(rows, suite="s", command=["x"], provenance={}), tmp_path


def test_every_kept_episode_is_told_with_pictures_that_were_made_small(filmed):
    rows, _, folder = filmed
    page = write_report(*filmed).read_text()
    failed = sum(not row.success for row in rows)
    assert 0 < failed < len(rows)
    failures, _, successes = page.partition("<h2>Successes</h2>")
    for part, count in ((failures, failed), (successes, len(rows) - failed)):
        assert part.count('src="data:image/webp') == 2 * count  # the start, and where the one step led
        assert len(re.findall(r"1\. click\(ref=&#34;\d&#34;\) \(button &#39;\w+&#39;\)", part)) == count
    assert "Pictures of 8 episodes are in this page." in page
    small, *_ = (base64.b64decode(one) for one in re.findall('"data:image/webp;base64,([^"]+)"', page))
    assert Image.open(io.BytesIO(small)).size == (640, 360)
    large = next((folder / rows[0].episode).parent.glob("*.png"))
    assert len(small) < large.stat().st_size / 5


def test_pictures_that_do_not_fit_are_links_to_their_files(filmed):
    rows, _, folder = filmed
    first = sum(map(len, re.findall('"(data:image/webp[^"]+)"', write_report(*filmed).read_text())[:2]))
    for room, inside in ((first, 1), (first - 1, 0)):
        page = write_report(*filmed, room=room).read_text()
        links = re.findall(r'href="([^"]+)"', page)
        assert len(links) == 2 * (len(rows) - inside)
        assert all((folder / unquote(link)).is_file() and "#" not in link for link in links)
        failures = page.partition("<h2>Successes</h2>")[0]
        assert (page.count("data:image/webp"), failures.count("data:image/webp")) == (2 * inside, 2 * inside)
    assert "Pictures of 8 episodes are links, which open while the page lies in the run&#39;s folder." in page
    assert (
        "Pictures of 1 episode are in this page; those of 7 episodes are links"
        in write_report(*filmed, room=first).read_text()
    )


def test_the_page_says_why_an_episode_is_not_there(filmed):
    rows, summary, folder = filmed
    (folder / rows[0].episode).unlink()
    rows[1] = rows[1].model_copy(update={"episode": ""})
    page = write_report(rows, summary, folder).read_text()
    assert f"<code>{rows[0].episode}</code>, which is no longer in the run" in page
    assert page.count("no longer in the run") == page.count("The episode was not kept") == 1


def test_a_picture_that_cannot_be_read_is_a_link(run_folder):
    rows, _, _ = run_folder
    page = write_report(*run_folder).read_text()
    assert (page.count("data:image/webp"), page.count(">picture</a>")) == (0, 2 * len(rows))


def test_the_page_escapes_what_others_wrote_and_tells_what_was_refused(run_folder):
    page = write_report(*run_folder, decisions=[REFUSED]).read_text()
    assert "corridors &lt;b&gt;" in page
    assert "refused: &lt;b&gt;no&lt;/b&gt; lift" in page
    assert "<b>no</b>" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_plots_are_there_as_png(run_folder):
    rows, summary, folder = run_folder
    write_report(rows, summary, folder)
    names = {file.name for file in (folder / "plots").glob("*.png")}
    assert names == {
        "success-as-the-run-went-on.png",
        "success-against-tokens.png",
        "where-the-time-went.png",
    }


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_a_browser_shows_the_page_without_complaint(filmed, width, scheme):
    from playwright.sync_api import sync_playwright

    from skillagent.envs.web.browser import find_chromium

    page_file, complaints = write_report(*filmed, room=400_000), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(page_file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.images].every(i => i.loading === 'lazy' || i.naturalWidth > 0)")
        page.click("table.sortable th button >> nth=1")
        firsts = page.eval_on_selector_all("table.sortable tbody tr", "rows => rows.map(r => r.cells[1].textContent)")
        page.click("h2:text('Failures') ~ details details summary >> nth=0")  # one click away
        picture = page.locator("h2:text('Failures') ~ details .states img >> nth=0")
        picture.scroll_into_view_if_needed()
        small = picture.bounding_box()["width"]
        page.click(".states button >> nth=0")
        large = picture.bounding_box()["width"]
        drawn = picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
        page.locator("h2:text('Successes') ~ details > summary").last.click()
        page.locator("h2:text('Successes') ~ details details summary").last.click()
        with page.context.expect_page() as opened:
            page.locator("a:text('picture'):visible").first.click(modifiers=["Control"])
        linked = opened.value.url
        overflow = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert (drawn, small <= large <= width, overflow <= width) == (640, True, True)
    assert linked.startswith(page_file.parent.as_uri())
    assert linked.endswith(".png")
    assert firsts == sorted(firsts)
    assert complaints == []
