"""Solutions of LIBERO's tasks, from what the task itself says that is wanted."""

import numpy as np

from skillagent.schema import Action

STATES = {"open": "open", "close": "close", "turnon": "turn_on", "turnoff": "turn_off"}


def carrying(world):
    """Return what solves the present task where all that it wants can be said by verbs, or None."""
    wanted = world.simulation.wanted
    if not all(one[0] in ("on", "in", *STATES) for one in wanted):
        return None

    def solve(seen):
        things = world.simulation.all
        keys = [one.key for one in things]

        def act(verb, key, **more):
            return Action(verb=verb, arguments={"ref": str(keys.index(key) + 1), **more})

        for how, thing, *onto in sorted(wanted, key=lambda one: one[0] == "close"):
            if how in STATES:
                yield act(STATES[how], thing)
                continue
            (below,) = onto
            part = things[keys.index(below)].part if below in keys else None
            if part is not None and part.kind == "drawer" and part.state != "open":
                yield act("open", below)
            yield act("pick", thing)
            if below in keys:
                yield act("place", below)
            else:
                beside, offset = told_by(world.simulation, below, thing)
                yield act("place_at", beside, offset=offset)

    return solve


def told_by(scene, zone, moved):
    """Return the thing that a zone of the table is named after, or else is nearest, and the offset from it."""
    (far, left, _) = scene._env.env.sim.data.get_site_xpos(zone)
    right, away = -left, far
    others = [one for one in scene.all if one.key != moved]

    def near(one):
        return not set(one.name.split()) & set(zone.split("_")), np.hypot(one.place[0] - right, one.place[1] - away)

    beside = min(others, key=near)
    return beside.key, [round(float(right - beside.place[0]), 3), round(float(away - beside.place[1]), 3), 0]
