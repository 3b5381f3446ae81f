"""Errors, sorted by who must act. Nothing else is raised on purpose; anything else that escapes is a bug.

SkillAgentError
├── AgentFault             the policy's: shown to it as an observation, costs a turn, may be learnt from
│   ├── InvalidAction      unknown verb, missing or ill-typed argument, element that is gone or covered
│   └── PromptTooLong      what there is to read does not fit the model's context; the model was not asked
├── WorldFault             the world's: the episode is void, never scored, never learnt from
│   ├── EnvironmentFailed  browser crash, simulator divergence, page that never loads
│   └── LLMUnavailable     provider down, timeout: no answer at all
├── BudgetSpent            a token, money or time budget ran out: stop cleanly, keep what is done
├── LibraryError           nothing was written
│   ├── InvalidSkill       a skill file or name that breaks the format
│   ├── StaleEdit          the edit was made against another version
│   ├── NotFound           no skill, insight, demonstration or version of that name
│   └── StoreBusy          another process holds the writer's lock
└── ConfigError            the operator's: the message names the remedy
"""

import difflib
from collections.abc import Iterable


class SkillAgentError(Exception):
    """Anything that this package raises on purpose."""


class AgentFault(SkillAgentError):
    """The policy did something that cannot be done; it reads the message and may try again."""


class InvalidAction(AgentFault):
    """The action does not exist, does not fit its signature, or cannot be carried out now; nothing has happened."""


class PromptTooLong(AgentFault):
    """The prompt does not fit the model's context; the model was not asked, and the same prompt never will fit."""


class WorldFault(SkillAgentError):
    """The world failed, not the policy: the episode is void."""


class EnvironmentFailed(WorldFault):
    """The environment crashed or lost its state; it must be made anew."""


class LLMUnavailable(WorldFault):
    """The model did not answer."""


class BudgetSpent(SkillAgentError):
    """A budget of tokens, money or seconds is used up; what was done before stands."""


class LibraryError(SkillAgentError):
    """The library refused; nothing was written."""


class InvalidSkill(LibraryError):
    """The text is not an Agent Skill; the message names the file and the line or key."""


class StaleEdit(LibraryError):
    """The edit was made against a version that is no longer the current one."""


class NotFound(LibraryError):
    """The library holds nothing of that name or version."""


class StoreBusy(LibraryError):
    """Another process is writing to this store."""


class ConfigError(SkillAgentError):
    """The operator has to change something; the message says what, where and how."""


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint at names that resemble `name`, to end a message with, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(found)}?" if found else ""
