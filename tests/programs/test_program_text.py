"""A program file is read whole or refused with its line, and what is written reads back the same."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skillagent.errors import InvalidSkill
from skillagent.programs.template import literal
from skillagent.programs.text import dump, parse
from skillagent.schema import Ask, Check, Do, Each, Expect, Program, Repeat, Target, Verb, When

WHOLE = """
goals:
  - Select {options...} and click {button}.
  - Click {button}.
steps:
  - each: {in: options, as: option, do: [{click: {role: checkbox, name: "{option}"}}]}
  - repeat:
      until: {name: "{button}"}
      most: 5
      do: [{click: {role: tab, order: next}}]
  - when: {is: {shows: cookies, gone: true}, do: [done], else: [{click: {name: Accept, order: last}}]}
  - expect: {role: heading, has: "{button|upper}"}
  - ask: {fill: {role: textbox}, about: the name of the person}
  - fill: {near: Total, text: {behind: "{button}"}}
  - drag: {from: {name: a}, to: {name: b, order: 2}, slowly: true}
"""


def test_every_construct_is_read():
    assert parse(WHOLE).steps == (
        Each(slot="options", item="option", do=(click(role="checkbox", name="{option}"),)),
        Repeat(until=Check(element=Target(name="{button}")), most=5, do=(click(role="tab", order="next"),)),
        When(
            check=Check(shows="cookies", gone=True),
            do=(Do(verb="done"),),
            otherwise=(click(name="Accept", order="last"),),
        ),
        Expect(check=Check(element=Target(role="heading", has="{button|upper}"))),
        Ask(do=Do(verb="fill", targets={"ref": Target(role="textbox")}), about="the name of the person"),
        Do(verb="fill", targets={"ref": Target(near="Total")}, arguments={"text": {"behind": "{button}"}}),
        Do(
            verb="drag",
            targets={"from_ref": Target(name="a"), "to_ref": Target(name="b", order=2)},
            arguments={"slowly": True},
        ),
    )


def click(**target):
    return Do(verb="click", targets={"ref": Target(**target)})


def test_what_is_written_reads_back_the_same():
    assert parse(dump(parse(WHOLE))) == parse(WHOLE)


@given(st.text(max_size=20), st.text(max_size=20))
@example("", "\x85")
@example("a\u2028b", "\ufeff\t\n x\n")
def test_any_name_and_text_survive_the_file(name, text):
    program = Program(
        steps=(
            Do(verb="fill", targets={"ref": Target(role="box", name=literal(name))}, arguments={"text": literal(text)}),
        )
    )
    assert parse(dump(program)) == program


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        pytest.param("", None, "it is empty", id="empty"),
        pytest.param("steps: [", 1, "expected", id="no YAML"),
        pytest.param("- done", 1, "keys and values", id="a list"),
        pytest.param("goals: [a]", 1, "no steps", id="no steps"),
        pytest.param("steps: []", 1, "at least one", id="empty steps"),
        pytest.param("steps: [done]\nwith: 1", 2, "no key 'with'", id="an unknown key"),
        pytest.param("steps:\n- click: {name: a}\n  fill: {name: b}", 2, "one key, not 2", id="two verbs in a step"),
        pytest.param("steps:\n- click: {name: a, name: b}", 2, "twice", id="a key twice"),
        pytest.param("steps:\n- done\n- click: {name: '{x}'}", 3, "no goal has a slot {x}", id="a slot out of nowhere"),
        pytest.param(
            "goals: ['{a...}']\nsteps:\n- each: {in: a, of: {role: b}, as: c, do: [click: {name: '{c}'}]}",
            3,
            "or for the elements `of` a kind",
            id="two kinds of each in one",
        ),
        pytest.param("goals: ['{a...}']\nsteps:\n- click: {name: '{a}'}", 3, "is a list", id="a list as one value"),
        pytest.param(
            "goals: ['{a} b']\nsteps:\n- each: {in: a, as: i, do: [done]}", 3, "no goal has a list", id="no list"
        ),
        pytest.param("goals: ['{a}{b}']\nsteps: [done]", 1, "nothing between", id="slots side by side"),
        pytest.param("goals: ['{a} {a}']\nsteps: [done]", 1, "twice", id="a slot twice"),
        pytest.param("goals: ['a } b']\nsteps: [done]", 1, "a brace", id="a lone brace"),
        pytest.param("goals: ['{a} x', '{a...} y']\nsteps: [done]", 1, "list in one goal", id="a list and a value"),
        pytest.param("steps:\n- click: {name: '{{}'}", 2, "a brace", id="a lone brace in a step"),
        pytest.param("goals: ['{a}']\nsteps:\n- click: {name: '{a|shout}'}", 3, "upper", id="an unknown change"),
        pytest.param("steps:\n- click: {order: 0}", 2, "counted from 1", id="order 0"),
        pytest.param("steps:\n- click: {order: middle}", 2, "order", id="an unknown order"),
        pytest.param("steps:\n- click: {role: [a]}", 2, "role", id="a role that is no text"),
        pytest.param("steps:\n- repeat: {do: [done]}", 2, "'until' is missing", id="no until"),
        pytest.param("steps:\n- repeat: {until: {shows: a}, most: 0, do: [done]}", 2, "most", id="repeated 0 times"),
        pytest.param("steps:\n- expect: {}", 2, "a check names", id="an empty check"),
        pytest.param("steps:\n- expect: {shows: a, role: b}", 2, "a check names", id="two checks in one"),
        pytest.param("steps:\n- ask: {about: x}", 2, "one verb", id="a hole without a verb"),
        pytest.param("goals: [a]\nsteps: " + "[" * 2000, 2, "nested too deep", id="deeper than can be read"),
        pytest.param("steps:\n- fill: {text: [[[[[[[[[[a]]]]]]]]]]}", 2, "deep", id="a deep argument"),
        pytest.param("steps:\n- fill: {text: &a [*a]}", 2, "an alias", id="an alias"),
        pytest.param("steps:\n- fill: {text: !!int ''}", 2, "a tag", id="a tag"),
        pytest.param('steps:\n- fill: {text: "\\U00110000"}', 2, "0x110000", id="an escape beyond Unicode"),
        pytest.param('steps:\n- fill: {text: "\\UFFFFFFFF"}', 2, "beyond Unicode", id="an escape far beyond Unicode"),
        pytest.param("steps:\n- done\n- fill: {text: a\x07}", 3, r"U\+0007: take it out", id="a control character"),
        pytest.param("steps:\n- click: {ref: 4}", 2, "by what a person sees", id="an element by its ref"),
        pytest.param("steps:\n- click: {ref: ''}", 2, "by what a person sees", id="an element by an empty ref"),
        pytest.param("goals: [a, null]\nsteps: [done]", 1, "a text is needed here, not null", id="null for a goal"),
        pytest.param("goals:\n- 5\nsteps: [done]", 2, "a text is needed here, not 5", id="a number for a goal"),
        pytest.param("goals:\n- ''\nsteps: [done]", 2, "a text is needed", id="an empty goal"),
        pytest.param("steps:\n- done\n- null", 3, "a text is needed here, not null", id="null for a step"),
        pytest.param("steps:\n- 5", 2, "a text is needed here, not 5", id="a number for a step"),
        pytest.param("steps:\n- ''", 2, "a text is needed", id="an empty verb"),
        pytest.param("steps:\n- true: {name: a}", 2, "a text is needed here, not true", id="a key that is no text"),
        pytest.param("steps:\n- '': {name: a}", 2, "a text is needed", id="an empty key"),
        pytest.param("steps:\n- model: {of: [null: a]}", 2, "a text is needed", id="null for a key in an argument"),
        pytest.param("goals: ['{a...}']\nsteps:\n- each: {in: null, as: i, do: [done]}", 3, "a text", id="no slot"),
        pytest.param("steps:\n- expect: {shows: ''}", 2, "a text is needed", id="a text that is always there"),
        pytest.param("steps:\n- fill: {text: {behind: ' '}}", 2, "a text is needed", id="behind nothing"),
        pytest.param("steps:\n- fill: {text: {behind: a, b: c}}", 2, "no key 'b' here; there is behind", id="two keys"),
        pytest.param("steps:\n- ask: {click: {}, about: 'the {x}'}", 2, "no goal has a slot {x}", id="about what"),
        pytest.param("steps:\n- ask: {click: {}, about: 5}", 2, "a text is needed", id="an about that is no text"),
        pytest.param("steps:\n- repeat: {until: {shows: a}, most: true, do: [done]}", 2, "most", id="no number"),
        pytest.param(
            "steps: [" + "{when: {is: {shows: a}, do: [" * 10 + "done" + "]}}" * 10 + "]", 1, "deep", id="too deep"
        ),
    ],
)
def test_a_program_that_breaks_the_grammar_is_refused_with_its_line(text, line, what):
    with pytest.raises(InvalidSkill, match=f"^p.yaml{f', line {line}' if line else ''}: .*{what}.*$") as refused:
        parse(text, file="p.yaml")
    assert "\n" not in str(refused.value)


PIECES = st.sampled_from(
    [*"aU0{}[]:,-|>'\"\\\n #&*!%?~\t\x07\x85", "goals:", "steps:", "\n- ", "  ", "{x}", "\\U00", "---"]
)


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=30))
def test_any_text_is_a_program_or_refused_in_one_line_that_names_the_line(text):
    try:
        parse(text, file="p.yaml")
    except InvalidSkill as refused:
        assert re.fullmatch(r"p\.yaml(, line \d+: .+|: it is empty; .+)", str(refused))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((text, text) for text in ("12:30", "yes", "010", "2020-01-02", "1e3")),
        *(("'7'", "7"), ("7", 7), ("-1.5", -1.5), ("true", True), ("null", None)),
    ],
)
def test_what_is_not_quoted_is_a_text_unless_json_has_a_word_or_number_for_it(written, value):
    (step,) = parse(f"steps:\n- fill: {{text: {written}}}").steps
    assert (step.arguments["text"], type(step.arguments["text"])) == (value, type(value))


def verb(name, required="", **properties):
    return Verb(name=name, doc="", parameters={"properties": properties, "required": required.split()})


REF, NUMBERS = {"type": "string", "format": "ref"}, {"type": "array", "minItems": 2, "items": {"type": "number"}}
VERBS = [
    verb("click", "ref", ref=REF),
    verb("fill", "ref text", ref=REF, text={"type": "string", "maxLength": 5}),
    verb("press", "keys", ref=REF, keys={"type": "string"}),
    verb("wait", "seconds", seconds={"type": "number", "minimum": 0, "maximum": 10}),
    verb("tab", "index", index={"type": "integer", "minimum": 0}),
    verb("scroll", "to", to={"type": "string", "enum": ["up", "down"]}),
    verb("push", "way", way=NUMBERS, far={"type": "number", "exclusiveMinimum": 0}, slowly={"type": "boolean"}),
]


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("jump: {name: a}", "no verb 'jump'"),
        ("click: {text: a}", "takes no 'text'"),
        ("click: {text: {name: a}}", "takes no 'text_ref'"),
        ("click: {}", "needs 'ref'"),
        ("click: {ref: }", "needs 'ref'"),
        ("fill: {name: a, text: }", "needs 'text'"),
        ("fill: {name: a, text: [1, 2]}", r"text of fill\(ref, text\): a text, not \[1, 2\]"),
        ("fill: {name: a, text: true}", "a text, not true"),
        ("fill: {name: a, text: abcdef}", "at most 5 characters"),
        ("wait: {seconds: lots}", 'a number, not "lots"'),
        ("wait: {seconds: true}", "a number, not true"),
        ("wait: {seconds: -1}", "0 or more, not -1"),
        ("wait: {seconds: '11'}", '10 or less, not "11"'),
        ("tab: {index: 1.5}", "a whole number, not 1.5"),
        ("scroll: {to: left}", 'one of up, down, not "left"'),
        ("push: {way: '{x}'}", "a list"),
        ("push: {way: {behind: a}}", "a list"),
        ("push: {way: [1]}", "at least 2 parts"),
        ("push: {way: [1, far]}", "a number as part 2"),
        ("push: {way: [1, 2], far: 0}", "more than 0"),
        ("push: {way: [1, 2], slowly: 1}", "true or false"),
        ("ask: {fill: {name: a, words: b}}", "takes no 'words'"),
        ("ask: {wait: {seconds: lots}}", "a number"),
        ("ask: {fill: {name: a, text: }}", "a text, not null"),
    ],
)
def test_a_step_that_does_not_fit_its_verb_is_refused(step, what):
    with pytest.raises(InvalidSkill, match=f"line 3: .*{what}"):
        parse(f"goals: ['do {{x}}']\nsteps:\n- {step}", verbs=VERBS)


@pytest.mark.parametrize(
    "step",
    [
        "click: {name: a}",
        "press: {keys: a, ref: null}",
        "fill: {name: a, text: 5}",
        "fill: {name: a, text: '{x} and more of it'}",
        "fill: {name: a, text: '{{bcd}}'}",
        "fill: {name: a, text: {behind: 'more than five'}}",
        "wait: {seconds: '2.5'}",
        "wait: {seconds: '{x|number}'}",
        "wait: {seconds: {behind: Seconds}}",
        "tab: {index: 2.0}",
        "scroll: {to: '{x|lower}'}",
        "push: {way: [1, '{x}'], far: 0.1, slowly: true}",
        "ask: {fill: {role: textbox}}",
        "ask: {click: {}}",
    ],
)
def test_what_only_a_run_can_tell_fits_and_so_does_what_environments_make_fit(step):
    assert parse(f"goals: ['do {{x}}']\nsteps:\n- {step}", verbs=VERBS)


def test_a_misused_argument_is_told_with_its_own_line():
    with pytest.raises(InvalidSkill, match="line 5: seconds of"):
        parse("steps:\n- click: {name: a}\n-\n  wait:\n    seconds: lots", verbs=VERBS)


def test_a_step_fits_where_one_of_the_verbs_of_its_name_takes_it():
    both = [*VERBS, verb("wait", seconds={"type": "number", "maximum": 2}), verb("click", "x", x={"type": "number"})]
    for step in ("wait: {seconds: 9}", "wait", "click: {x: 3}", "click: {name: a}"):
        assert parse(f"steps:\n- {step}", verbs=both)
    with pytest.raises(InvalidSkill, match=r"line 2: .*10 or less, not 11; .*2 or less, not 11"):
        parse("steps:\n- wait: {seconds: 11}", verbs=both)
