"""Solutions of LIBERO's tasks of picking and placing, from what the task itself says that is wanted."""

from skillagent.schema import Action


def carrying(world):
    """Return what solves the present task where it is only picking and placing, or None."""
    wanted = world.simulation.wanted
    if not all(one[0] in ("on", "in") for one in wanted):
        return None

    def solve(seen):
        keys = [one.key for one in world.simulation.all]
        for _, thing, onto in wanted:
            if onto not in keys:
                return
            yield Action(verb="pick", arguments={"ref": str(keys.index(thing) + 1)})
            yield Action(verb="place", arguments={"ref": str(keys.index(onto) + 1)})

    return solve
