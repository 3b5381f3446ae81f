"""skillagent: an agent with an evolving, gated library of skills and insights.

    from skillagent import Task, load, open_agent, run

    with open_agent(load()) as agent:
        for attempt in run(agent, [Task(env="miniwob", name="login-user")]):
            print(attempt.verdict)

Importing the package is cheap: a name is loaded when it is first used, and heavy packages by the parts that need them.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Task": "skillagent.schema",
    "Library": "skillagent.library",
    "Agent": "skillagent.loop",
    "run": "skillagent.loop",
    "attempt": "skillagent.loop",
    "trial": "skillagent.loop",
    "learn": "skillagent.loop",
    "Settings": "skillagent.config",
    "load": "skillagent.config",
    "Options": "skillagent.build",
    "open_agent": "skillagent.build",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'skillagent' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
