"""Does missions of BabyAI from what their verifiers look for, over verbs alone and only with what was seen."""

import re

from minigrid.envs.babyai.core import verifier

from skillagent.schema import Action

_MOST = 200


def mission(world):
    """Return an oracle for the level that the world is in."""

    def acting(first):
        yield from _done(world, world.simulation.env.instrs, first)

    return acting


def _done(world, instr, outcome):
    match instr:
        case verifier.BeforeInstr() | verifier.AndInstr():
            parts = (instr.instr_a, instr.instr_b)
        case verifier.AfterInstr():
            parts = (instr.instr_b, instr.instr_a)
        case _:
            yield from _one(world, instr)
            return
    for part in parts:
        yield from _done(world, part, outcome)


def _one(world, instr):
    walker = world.simulation
    if isinstance(instr, verifier.PutNextInstr):
        if not any(walker.env.carrying is one for one in instr.desc_move.obj_set):
            yield from _reach(world, "pick_up", _among(instr.desc_move))
        yield from _reach(world, "put_next_to", _among(instr.desc_fixed))
        return
    if walker.env.carrying and isinstance(instr, verifier.PickupInstr):
        yield Action(verb="drop")
    verb = {verifier.GoToInstr: "go_to", verifier.OpenInstr: "open", verifier.PickupInstr: "pick_up"}[type(instr)]
    yield from _reach(world, verb, _among(instr.desc))


def _among(desc):
    return lambda thing: any(thing is one for one in desc.obj_set)


def _reach(world, verb, fits, depth=0):
    """Do a verb with a thing that fits, exploring, unlocking and moving things away until it can be done."""
    for _ in range(_MOST):
        refs = [ref for ref, one in known(world) if fits(one)]
        outcome = yield Action(verb=verb, arguments={"ref": refs[0]}) if refs else Action(verb="explore")
        if refs and outcome.error is None:
            return
        if outcome.error and depth < 5:
            yield from _cleared(world, outcome.error, depth + 1)


def _cleared(world, error, depth):
    """Get out of the way what an error names."""
    walker = world.simulation
    if blocking := re.search(r'\[(\d+)\] "([^"]+)"(?: \((\w+)\))? stands in the way', error):
        ref, _, state = blocking.groups()
        if walker.carried and not state:
            yield Action(verb="drop")
        yield Action(verb="open" if state else "pick_up", arguments={"ref": ref})
    elif full := [ref for ref, one in known(world) if one.type == "box" and one.contains is not None]:
        yield Action(verb="open", arguments={"ref": full[0]})
    elif "locked" in error:
        ref = re.search(r"\[(\d+)\][^\[]* is locked", error).group(1)
        key = walker.thing(ref).color, "key"
        if walker.carried != " ".join(key):
            yield from _reach(world, "pick_up", lambda one: (one.color, one.type) == key, depth)
        yield Action(verb="open", arguments={"ref": ref})
    elif "already" in error:
        yield Action(verb="drop")
    else:
        yield Action(verb="explore")


def known(world):
    """Yield ref and object of what is in sight."""
    shown = {one.ref for one in world.simulation.things()}
    return [(str(n), one) for n, one in enumerate(world.simulation._known, start=1) if str(n) in shown]
