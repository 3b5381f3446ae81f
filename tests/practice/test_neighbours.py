"""Near skills are told step by step, in the notation of a proposal."""

from skillagent.practice.neighbours import neighbours
from skillagent.programs.text import FILE
from skillagent.schema import Skill

PROGRAM = """goals:
- 'Put {things...} into the {box}.'
steps:
- when: {is: {shows: Cookies}, do: [{click: {role: button, name: OK}}], else: [{wait: {}}]}
- each:
    in: things
    as: thing
    do:
    - pick: {role: cube, name: '{thing}'}
    - drop: {role: box, has: '{box}', high: 0.1}
- repeat: {until: {role: button, name: Done}, do: [{click: {role: button, name: More}}]}
- expect: {shows: Done}
- ask: {fill: {role: textbox, near: Name}}
"""


def skill(name, program=None, body="Look.\nPress."):
    return Skill(name=name, description="About it.", body=body, files={FILE: program} if program else {})


def test_every_kind_of_step_is_told_as_a_proposal_is_written():
    assert neighbours([skill("puts", PROGRAM)], 2_000).splitlines() == [
        "puts: Put {things...} into the {box}.",
        "  if Cookies is there:",
        '    {"verb":"click","ref":"button OK"}',
        "  else:",
        '    {"verb":"wait"}',
        "  for each {thing}:",
        '    {"verb":"pick","ref":"cube {thing}"}',
        '    {"verb":"drop","ref":"box {box}","high":0.1}',
        "  again until button Done is there:",
        '    {"verb":"click","ref":"button More"}',
        '  {"verb":"fill","ref":"textbox Name"} and what else is needed',
    ]


def test_a_skill_without_a_program_that_can_be_read_is_told_in_its_words():
    told = "one: About it.\nLook.\nPress."
    assert neighbours([skill("one"), skill("two", "steps: nothing")], 200) == f"{told}\n{told.replace('one', 'two')}"


def test_each_is_cut_at_the_end_of_a_line_and_left_out_where_no_step_fits():
    first, rest = "one: About it.", skill("one")
    assert neighbours([rest], len(f"{first}\nLook.") + 1) == f"{first}\nLook."
    assert neighbours([rest], len(f"{first}\nLook.")) == ""
    assert neighbours([], 100) == ""
