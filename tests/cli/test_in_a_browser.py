"""The command line from end to end on real parts, but for the model, which is scripted: pages in a real Chromium."""

import json
import re
from functools import partial

import pytest
from skills_ref import validate as skills_ref_validate

from skillagent.build import open_agent
from skillagent.cli import main
from skillagent.cli.parts import Parts
from skillagent.config import Settings
from skillagent.schema import Role
from skillagent.testing import ScriptedLLM


class Contrary:
    """Presses the wrong one of two buttons, unless it is warm or has been shown a skill."""

    name = "contrary"

    def __init__(self):
        self._scripted = {warm: ScriptedLLM(partial(self._answer, warm)) for warm in (False, True)}

    def reply(self, messages, *, role, schema=None, temperature=0.0, seed=0, max_tokens=512):
        return self._scripted[temperature > 0].reply(messages, role=role, schema=schema)

    @staticmethod
    def _answer(warm, messages, role):
        if role is Role.REFLECTOR:
            words = ("what", "when", "not_when", "applies", "does_not_apply", "explanation", "level_1", "level_2")
            return {"name": "press-one", **{word: f"{word} of two buttons." for word in words}}
        wanted = "ONE" if warm or any("<skill>" in message.content for message in messages) else "TWO"
        refs = dict(re.findall(r'\[(\d+)\] button "(\w+)"', messages[-1].content))
        return {"verb": "click", "ref": next(ref for ref, name in refs.items() if name == wanted)}


@pytest.mark.browser
def test_a_page_that_is_failed_at_first_is_learnt_and_then_solved(tmp_path, capsys):
    folders = {"skills": tmp_path / "skills", "memory": tmp_path / "memory"}

    def settings(**overrides):
        given = {key: value for key, value in overrides.items() if value is not None}
        return Settings(_env_file=None, **folders, **given)

    real = Parts(settings=settings, agent=partial(open_agent, llm=Contrary()))
    assert main(["run", "miniwob/click-test-2", "--json"], parts=real) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [one["success"] for one in result["attempts"]] == [False, True]
    assert (result["decisions"][0]["accepted"], result["decisions"][0]["losses"]) == (True, 0)
    assert main(["run", "miniwob/click-test-2", "--seed", "2000000", "--json"], parts=real) == 0
    route = next(
        event for line in capsys.readouterr().out.splitlines() if (event := json.loads(line))["event"] == "route"
    )
    assert [one["id"] for one in route["skills"]] == ["press-one"]
    assert skills_ref_validate(tmp_path / "skills" / "press-one") == []
    assert main(["skills", "list"], parts=real) == 0
    assert "press-one  v1  miniwob  runs     1/1" in capsys.readouterr().out


@pytest.mark.browser
def test_an_unknown_page_is_a_user_s_mistake_with_near_names(tmp_path, capsys):
    given = Settings(_env_file=None, skills=tmp_path / "skills", memory=tmp_path / "memory")
    real = Parts(settings=lambda **overrides: given, agent=partial(open_agent, llm=Contrary()))
    assert main(["run", "miniwob/click-tset-2"], parts=real) == 2
    assert "click-test-2" in capsys.readouterr().err
    assert main(["run", "minwob/click-test-2"], parts=real) == 2
    assert "did you mean 'miniwob'" in capsys.readouterr().err
