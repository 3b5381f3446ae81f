"""Config: every setting, its default and its environment variable. This module alone reads the environment.

A setting is given, in rising order of weight, by its default, a `.env` file in the working folder, an environment
variable `SKILLAGENT_…`, or an option on the command line. Keys of model providers (`OPENAI_API_KEY`, …) are read by the
provider's own library; a `.env` file may hold them too.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path

from pydantic import Field, JsonValue, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from skillagent.envs import drawing
from skillagent.errors import ConfigError


class Settings(BaseSettings):
    """What an operator can set."""

    model_config = SettingsConfigDict(env_prefix="SKILLAGENT_", env_file=".env", extra="ignore", frozen=True)

    model: str = Field(
        default="local/qwen2.5-coder-1.5b",
        description="The model that acts: local/NAME, local/PATH.gguf, or any LiteLLM name such as openai/gpt-5-mini.",
    )
    student: str | None = Field(
        default=None,
        description="A cheaper model that drafts each action; where its drafts differ, the model is asked.",
    )
    drafts: int = Field(default=3, ge=2, description="Drafts of the student that must agree.")
    base_url: str | None = Field(default=None, description="Base URL of an OpenAI-compatible server.")
    api_key: SecretStr | None = Field(
        default=None, description="Key for that server; providers' own variables work as well."
    )
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, description="Threads of the embedded model; all cores."
    )
    context: int = Field(
        default=8192,
        ge=4096,
        description="Tokens that a model is asked to read at once, at most: fewer where litellm lists fewer for it.",
    )
    timeout_s: float = Field(default=120.0, gt=0, description="Seconds to wait for one reply of a provider.")
    cache_replies: bool = Field(default=False, description="Keep replies on disk and give them again when asked alike.")
    embedder: str = Field(
        default="local/minilm-int8",
        description="local/minilm-int8, sentence-transformers/NAME, or a LiteLLM embedding model.",
    )
    skills: Path = Field(default=Path("skills"), description="Folder of the skills.")
    memory: Path = Field(default=Path("memory_store"), description="Folder of insights, demonstrations and the ledger.")
    home: Path = Field(
        default=Path("~/.cache/skillagent"), description="Folder of model weights, saved chats and cached replies."
    )
    chroma_url: str | None = Field(
        default=None, description="A Chroma server; default: embedded, in the memory folder."
    )
    chromium: Path | None = Field(default=None, description="Chromium's path; default: Playwright's own or the PATH's.")
    problems: Path | None = Field(
        default=None, description="Folder of optimisation problems: each JSON file in it is a task optimize/NAME."
    )
    headed: bool = Field(default=False, description="Show the browser's window.")
    token_limit: int | None = Field(
        default=None, ge=1, description="Tokens that a command may use; it then stops cleanly."
    )
    cost_limit: float | None = Field(default=None, ge=0, description="US dollars that a command may use.")
    time_limit_s: float | None = Field(default=None, ge=0, description="Seconds of model time that a command may use.")

    @field_validator("skills", "memory", "home", "chromium", "problems")
    @classmethod
    def _at_home(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else path

    @property
    def models_dir(self) -> Path:
        """The folder of model weights."""
        return self.home / "models"


def load(**overrides: object) -> Settings:
    """Return the settings in force; `overrides` that are None are left out.

    Raises:
        ConfigError: A setting has a value that it cannot have.
    """
    return _settings({key: value for key, value in overrides.items() if value is not None})


def changed(settings: Settings, changes: Mapping[str, JsonValue]) -> Settings:
    """Return the settings with some set otherwise; raises ConfigError for a value that a setting cannot have."""
    return _settings({**{name: getattr(settings, name) for name in Settings.model_fields}, **changes})


def _settings(given: Mapping[str, object]) -> Settings:
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks the types
    except ValidationError as error:
        where, what = fault(error)
        raise ConfigError(f"setting SKILLAGENT_{where.replace('.', '_').upper()}: {what}") from None


def fault(error: ValidationError, known: Iterable[str] = ()) -> tuple[str, str]:
    """Return where in a user's document the first fault is, with dots between its keys, and what is wrong there.

    `known` are the keys that there are, for one that is not.
    """
    faults = error.errors()
    first = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])  # explains what is missing
    where = ".".join(map(str, first["loc"]))
    match first["type"]:
        case "extra_forbidden":
            names = list(known)
            near = difflib.get_close_matches(where, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there is {', '.join(names)}" if names else ""
            return where, f"there is no such key{hint}"
        case "missing":
            return where, "this key is needed"
        case "value_error":
            return where, first["msg"].removeprefix("Value error, ")
    what = re.sub(r"^(Mapping i|I)nput should", "should", first["msg"])
    for theirs, ours in _WORDS.items():
        what = re.sub(theirs, ours, what)
    got = "" if first["input"] is None or isinstance(first["input"], dict) else f", got {first['input']!r}"
    return where, what + got


_WORDS = {  # pydantic's, in the words of people who write YAML and JSON
    "a valid (tuple|list)": "a list",
    "a valid string": "text",
    "a valid integer": "a whole number",
    "a valid number": "a number",
    "a valid boolean": "true or false",
    "a valid (dictionary|mapping).*": "keys with values",
}


def draw_without_a_screen(
    environ: MutableMapping[str, str] = os.environ, way: Callable[[], str | None] = drawing.way
) -> str:
    """Let MuJoCo draw without a screen, and return how: as the operator has said, or with what is found here.

    Where nothing is found it is told not to draw: the physics runs, and only a picture is a ConfigError. Empty: it is
    left to the system. To be called before MuJoCo is imported.
    """
    if not environ.get("MUJOCO_GL") and (found := way()):
        environ["MUJOCO_GL"] = found
    return environ.get("MUJOCO_GL", "")


def export_provider_keys(env_file: Path = Path(".env")) -> None:
    """Put the variables of a `.env` file that are not ours into the environment, where providers' libraries look.

    A variable that is already set stays as it is.
    """
    from dotenv import dotenv_values

    known = dotenv_values(env_file) if env_file.is_file() else {}
    for key, value in known.items():
        if value and not key.startswith("SKILLAGENT_"):
            os.environ.setdefault(key, value)


def example_file() -> str:
    """Return the text of `.env.example`: every setting with its default, commented out."""
    lines = ["# Copy to .env and uncomment what you change. Generated; `make env-example` rewrites it.", ""]
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory else field.default
        shown = str(default).lower() if isinstance(default, bool) else "" if default is None else str(default)
        lines += [f"# {field.description}", f"# SKILLAGENT_{name.upper()}={shown}", ""]
    lines += ["# Keys of providers are read under their own names:", "# OPENAI_API_KEY=", "# ANTHROPIC_API_KEY=", ""]
    return "\n".join(lines)
