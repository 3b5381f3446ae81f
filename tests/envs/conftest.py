import pytest

from skillagent.envs.web.environment import WebEnvironment
from skillagent.envs.web.miniwob import MiniWoB
from skillagent.schema import Action, Task


class Desk:
    """A web environment, and pages of the test's own to use it on."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = WebEnvironment(folder=folder, width=800, height=600)

    def show(self, body, *, goal="try it", max_steps=50, **task):
        page = self.folder / "page.html"
        page.write_text(f"<!doctype html><title>Page</title><body style='margin:8px'>{body}", encoding="utf-8")
        task = Task(env="web", name="page", goal=goal, url=task.pop("url", page.as_uri()), max_steps=max_steps, **task)
        return self.environment.reset(task)

    def do(self, verb, **arguments):
        return self.environment.step(Action(verb=verb, arguments=arguments))


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("pages"))
    yield desk
    desk.environment.close()


@pytest.fixture(scope="session")
def miniwob():
    environment = MiniWoB()
    yield environment
    environment.close()
