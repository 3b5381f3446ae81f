# ruff: noqa: E501
import os
import re
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skillagent.envs.registry import Options
from skillagent.envs.web.browser import Launch, find_chromium, hosts_of
from skillagent.envs.web.environment import WebEnvironment
from skillagent.errors import ConfigError, EnvironmentFailed
from skillagent.schema import Action, Task
from skillagent.testing import check_environment

pytestmark = pytest.mark.browser

ICON = "<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'><rect width='16' height='16'/></svg>"
PAGES = {
    "/": "<title>Home</title><a href='/two'>Two</a><a href='{other}/'>Away</a><a href='/two' target=_blank>Tab</a>",
    "/two": "<title>Second</title><p>Second page</p>",
    "/slow": "<title>Slow</title><p id=p>waiting</p><button onclick=\"fetch('/late').then(r=>r.text()).then(t=>p.textContent=t)\">Ask</button>",
    "/late": "the answer came",
    "/icon": "<title>Icon</title><style>#b{content:url(/icon.svg)}#b:hover{content:url(/late.svg)}</style><span id=b aria-label=Like onclick=\"document.title='liked'\"></span>",
    "/icons": "<title>Icons</title><style>.s{content:url(/late-star.svg)}</style><button onclick=\"document.body.insertAdjacentHTML('beforeend','<span class=s aria-label=Star onclick=1></span>')\">Add</button>",
    "/shop": "<title>Shop</title><ul id=cart></ul><script>for (const it of ['apples','bread','cheese','eggs','milk','rice']) document.write(`<button onclick=\"cart.innerHTML+='<li>${it} ordered</li>'\">${it}</button>`)</script>",
    "/late-star.svg": ICON,
    "/icon.svg": ICON,
    "/late.svg": ICON,
    "/away": "<title>Calls</title><p id=p>calling</p><script>fetch('{other}/late').then(()=>p.textContent='reached',()=>p.textContent='blocked')</script>",
}  # fmt: skip


@pytest.fixture(scope="module")
def site():
    late = threading.Event()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/late"):
                late.wait(0.6)
            other = f"http://localhost:{self.server.server_port}"
            body = PAGES.get(self.path, "nothing").replace("{other}", other).encode()
            self.send_response(200)
            self.send_header("Content-Type", "image/svg+xml" if self.path.endswith(".svg") else "text/html")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    serving.join()


def named(seen, name):
    return next(element.ref for element in seen.elements if element.name == name)


def test_the_documented_environment_of_ones_own_keeps_its_promises(site):
    text = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shop = {}
    exec(compile(example, "environments.md", "exec"), shop)
    shop["URL"] = f"{site}/shop"

    def order(first):
        yield Action(verb="click", arguments={"ref": named(first, first.goal.removeprefix("Order "))})

    for seed in range(3):
        check_environment(lambda: shop["Shop"](Options()), Task(env="shop", name="order", seed=seed), order)


def test_it_keeps_the_promises_of_an_environment(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<button>Go</button>", encoding="utf-8")
    task = Task(env="web", name="page", goal="press Go", url=page.as_uri())
    check_environment(lambda: WebEnvironment(folder=tmp_path), task)


@pytest.mark.parametrize("action", [Action(verb="done"), Action(verb="answer", arguments={"text": "42"})])
def test_done_and_answer_end_the_episode_unscored_and_nothing_is_done_after_it(desk, action):
    desk.show("<button onclick=\"document.title='pressed'\">Go</button>")
    outcome = desk.environment.step(action)
    assert (outcome.terminated, outcome.truncated, outcome.reward) == (True, False, None)
    after = desk.do("click", ref="1")
    assert "over" in after.error and after.terminated and "pressed" not in after.observation.text


def test_the_cap_on_steps_counts_wrong_actions_too(desk):
    desk.show("<p>x", max_steps=2)
    assert not desk.do("fly").truncated
    assert desk.do("fly").truncated


def test_a_text_that_the_task_expects_ends_it_when_it_is_shown_and_not_when_it_is_typed_or_was_there_before(desk):
    page = "<p>List</p><p id=n></p><input id=i aria-label=Item><button onclick='n.textContent=i.value'>Add</button>"
    desk.show(page, expect="Milk")
    assert not desk.do("fill", ref="1", text="milk").terminated
    assert desk.do("click", ref="2").terminated
    desk.show(page, expect="list")
    assert not desk.do("click", ref="2").terminated


def test_a_dialog_is_answered_and_told_once(desk):
    desk.show("<button onclick=\"document.title=confirm('Sure?')\">Go</button>")
    first = desk.do("click", ref="1").observation.text
    assert 'notice: the page opened a dialog (confirm): "Sure?"; it was accepted' in first
    assert 'page "true"' in first
    assert "notice" not in desk.do("wait", seconds=0).observation.text


def test_a_download_is_blocked_and_told(desk):
    desk.show("<a download='x.txt' href='data:text/plain,hello'>Get</a>")
    told = desk.do("click", ref="1").observation.text + desk.do("wait", seconds=0.3).observation.text
    assert 'the download of "x.txt" was blocked' in told


def test_pages_are_followed_and_gone_back_from(desk, site):
    seen = desk.show("", url=site + "/")
    seen = desk.do("click", ref=named(seen, "Two")).observation
    assert "Second page" in seen.text and seen.url == site + "/two"
    seen = desk.do("go_back").observation
    assert 'page "Home"' in seen.text
    assert "another page is shown now" in desk.do("click", ref="1").error
    assert "Second page" in desk.do("goto", url=site + "/two").observation.text


def test_a_click_waits_for_the_picture_that_hovering_asks_for(desk, site):
    seen = desk.show("", url=site + "/icon")
    assert 'page "liked"' in desk.do("click", ref=named(seen, "Like")).observation.text


def test_what_has_its_size_from_a_picture_is_seen_only_once_the_picture_is_there(desk, site):
    seen = desk.show("", url=site + "/icons")
    assert "Star" in desk.do("click", ref=named(seen, "Add")).observation.text


def test_a_new_tab_is_shown_and_the_old_one_can_be_shown_again(desk, site):
    seen = desk.show("", url=site + "/")
    seen = desk.do("click", ref=named(seen, "Tab")).observation
    assert 'tabs: 0 "Home", 1 "Second" (shown)' in seen.text and "Second page" in seen.text
    assert 'page "Home"' in desk.do("tab_focus", index=0).observation.text


def test_what_a_request_brings_is_waited_for(desk, site):
    seen = desk.show("", url=site + "/slow")
    assert "the answer came" in desk.do("click", ref=named(seen, "Ask")).observation.text


def test_a_link_to_another_host_leads_nowhere_and_says_so(desk, site):
    seen = desk.show("", url=site + "/")
    seen = desk.do("click", ref=named(seen, "Away")).observation
    assert seen.url == site + "/"
    assert "was not opened: the host is not one of this task's: 127.0.0.1" in seen.text


def test_a_script_cannot_reach_another_host_unless_it_is_named(site):
    for hosts, expected in (((), "blocked"), (("localhost",), "reached")):
        environment = WebEnvironment(hosts=hosts)
        try:
            environment.reset(Task(env="web", name="calls", goal="look", url=site + "/away"))
            seen = environment.step(Action(verb="wait", arguments={"seconds": 0.5})).observation
            assert f"text: {expected}" in seen.text
        finally:
            environment.close()


def test_cookies_and_storage_do_not_outlive_an_episode(desk, site):
    body = "<script>document.title=localStorage.n||'empty';localStorage.n='left over'</script>"
    for _ in range(2):
        assert 'page "empty"' in desk.show(body).text


@pytest.mark.parametrize("what", ["step", "screenshot", "reset"])
def test_after_a_crash_everything_fails_and_closing_still_works(tmp_path, what):
    page = tmp_path / "page.html"
    page.write_text("<button>Go</button>", encoding="utf-8")
    task = Task(env="web", name="page", goal="press Go", url=page.as_uri())
    environment = WebEnvironment(folder=tmp_path)
    environment.reset(task)
    os.kill(environment.pid, signal.SIGKILL)
    click = Action(verb="click", arguments={"ref": "1"})
    doing = {
        "step": lambda: environment.step(click),
        "screenshot": environment.screenshot,
        "reset": lambda: environment.reset(task),
    }
    with pytest.raises(EnvironmentFailed, match="the browser failed"):
        doing[what]()
    environment.close()
    environment.close()


def test_a_page_that_does_not_load_fails_the_reset(desk):
    with pytest.raises(EnvironmentFailed, match="cannot be started"):
        desk.show("", url="http://127.0.0.1:9/")


@pytest.mark.parametrize(("task", "message"), [
    ({"goal": "", "url": "http://127.0.0.1/"}, "needs a goal"),
    ({"goal": "g", "url": None}, "is not an address"),
    ({"goal": "g", "url": "ftp://x/"}, "is not an address"),
    ({"goal": "g", "url": "http://[1"}, "is not an address"),
])  # fmt: skip
def test_a_task_without_goal_or_address_is_the_operators_fault(desk, task, message):
    with pytest.raises(ConfigError, match=message):
        desk.environment.reset(Task(env="web", name="n", **task))


def test_stepping_before_reset_or_after_close_is_a_failure_in_words():
    environment = WebEnvironment()
    with pytest.raises(EnvironmentFailed, match="call reset first"):
        environment.step(Action(verb="done"))
    environment.close()
    with pytest.raises(EnvironmentFailed, match="closed"):
        environment.reset(Task(env="web", name="n", goal="g", url="http://127.0.0.1/"))


def test_the_configured_browser_comes_first_then_playwrights_own(tmp_path):
    mine, bundled = tmp_path / "mine", tmp_path / "bundled"
    mine.touch()
    bundled.touch()
    assert find_chromium(mine, bundled) == mine
    assert find_chromium(None, bundled) == bundled
    assert find_chromium(None, tmp_path / "none") != bundled
    with pytest.raises(ConfigError, match="no browser at"):
        find_chromium(tmp_path / "none", bundled)


def test_only_named_hosts_are_resolved():
    launch = Launch(hosts=hosts_of(["http://shop.test:8000/a", "file:///x"]))
    assert "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE shop.test" in launch.flags
