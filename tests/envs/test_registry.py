from importlib.metadata import EntryPoint

import pytest

from skillagent.envs.registry import GROUP, Options, factories, open_environment
from skillagent.errors import ConfigError


class Corridor:
    """Stands for an environment of someone else's package."""

    def __init__(self, options):
        self.options = options


def entry(name, value="test_registry:Corridor"):
    return EntryPoint(name=name, value=value, group=GROUP)


def test_our_environments_are_there():
    assert {"web", "miniwob"} <= set(factories())


def test_an_installed_package_can_add_one_and_is_handed_the_options():
    made = open_environment("corridor", Options(headed=True), installed=[entry("corridor")])
    assert type(made).__name__ == "Corridor"
    assert made.options.headed


def test_an_installed_package_cannot_replace_one_of_ours():
    assert type(open_environment("web", installed=[entry("web")])).__name__ == "WebEnvironment"


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ConfigError, match=r"no environment 'minwob': there are .*miniwob.*did you mean 'miniwob'"):
        open_environment("minwob")


def test_a_package_that_does_not_import_is_named():
    with pytest.raises(ConfigError, match=r"'gone' \(no_such_module:Make\) cannot be imported"):
        open_environment("gone", installed=[entry("gone", "no_such_module:Make")])
