"""Wander: a way is found without the model, in few steps, and no dead end is entered twice."""

import pytest

from skillagent.acting.play import played
from skillagent.errors import WorldFault
from skillagent.learning.judge import judge
from skillagent.practice.wander import Wandering, wandered
from skillagent.practice.ways import View, ways
from skillagent.schema import Action, Attempt, Element, Observation, Outcome, Step, Task, Trajectory, Verb, Verdict

TASK = Task(env="e", name="t", seed=10)


def verb(name, **parameters):
    return Verb(
        name=name,
        doc="Do it.",
        parameters={"type": "object", "properties": parameters, "required": list(parameters)},
    )


REF = {"type": "string", "format": "ref"}
CLICK, FILL = verb("click", ref=REF), verb("fill", ref={**REF, "roles": ["textbox"]}, text={"type": "string"})
WIPE = verb("wipe", ref=REF)


class Form:
    """Open the form, write the word that the goal quotes, press Send; anything else that ends it has failed.

    `lamp` can be switched, which is of no use, and the ref of the field depends on it.
    """

    verbs = (CLICK, FILL, WIPE)

    def __init__(self, *, hopeless=False, broken=False):
        self.hopeless, self.broken, self.done, self.resets = hopeless, broken, [], 0

    def reset(self, task):
        self.resets += 1
        if self.broken:
            raise WorldFault("gone")
        self.word, self.open, self.lamp, self.text = f"word{task.seed}", False, False, ""
        self.did, self.goal = [], f'Open the form, write "{self.word}" and send it to Ann'
        return self.seen()

    def seen(self):
        field = Element(ref="7" if self.lamp else "5", role="textbox", name="Text", value=self.text)
        elements = [Element(ref="0", role="button", name="Lamp"), Element(ref="1", role="button", name="Open form")]
        elements += [field, Element(ref="6", role="button", name="Send")] if self.open else []
        elements.append(Element(ref="2", role="button", name="Delete all"))
        return Observation(goal=self.goal, text=f"{self.open} {self.lamp} {self.text}", elements=tuple(elements))

    def step(self, action):
        before = self.seen()
        self.done.append((before.text, str(action)))
        what = before.element(action.arguments["ref"]).name
        match action.verb, what:
            case "click", "Lamp":
                self.lamp = not self.lamp
            case "click", "Open form":
                self.open = True
            case "fill", _:
                self.text = action.arguments["text"]
            case "click", "Send" | "Delete all":
                right = what == "Send" and self.text == self.word and not self.hopeless
                return Outcome(observation=before, reward=float(right), terminated=True)
        return Outcome(observation=self.seen(), reward=0.0)


def failed(*seeds, score=0.0):
    tasks = [TASK.model_copy(update={"seed": seed}) for seed in seeds]
    return [attempt(Trajectory(task=task, goal="g"), score) for task in tasks]


def attempt(trajectory, score):
    verdict = Verdict(score=score, by="environment")
    return Attempt(plan=None, route=None, trajectory=trajectory, verdict=verdict, library="")


def wander(world, tried, near=lambda *_: iter(()), near_tries=3000, **amount):
    """Return the successes, and what was told of each instance."""
    told, time = [], iter(range(1_000_000))

    def play(task, made):
        try:
            trajectory = played(world, task, made(world.verbs), by="chance")
        except WorldFault as fault:
            trajectory = Trajectory(task=task, goal="", void=str(fault))
        return Attempt(plan=None, route=None, trajectory=trajectory, verdict=judge(trajectory), library="")

    limits = Wandering(**{"seconds": 1_000_000, "near": near_tries, **amount})
    return list(wandered(tried, play, near, amount=limits, watch=told.append, clock=lambda: next(time))), told


def test_a_way_is_found_without_the_model_and_without_needless_steps():
    found, told = wander(world := Form(), failed(1, 2))
    assert sum(one.tries for one in told) == world.resets, "what is played again is counted"
    assert [one.trajectory.task.seed for one in found] == [1, 2]
    for one in found:
        steps = one.trajectory.steps
        assert [step.target.name for step in steps] == ["Open form", "Text", "Send"]
        assert {step.by for step in steps} == {"chance"}
    assert [(one.task.seed, one.steps) for one in told] == [(1, 3), (2, 3)]
    assert told[1].tries <= told[0].tries, "what solved the one instance leads in the other"


def test_a_dead_end_is_not_entered_twice():
    world = Form(hopeless=True)
    _, (told,) = wander(world, failed(1), tries=200)
    assert told.steps is None
    unwritten = [(state, did) for state, did in world.done if state.endswith(" ")]
    ends = [(state, did) for state, did in unwritten if did in ('click(ref="6")', 'click(ref="2")')]
    idle = [(state, did) for state, did in unwritten if did.startswith("wipe")]
    assert ends
    assert idle
    assert len(ends) == len(set(ends))
    assert len(idle) == len(set(idle))


def test_where_nothing_is_left_to_try_it_ends():
    world = Form()
    world.verbs = (WIPE,)
    assert wander(world, failed(1))[1][0].tries < 5


@pytest.mark.parametrize(
    ("tried", "amount", "seeds"),
    [
        ([*failed(1, 2), *failed(3, score=1.0)], {}, [1]),
        ([*failed(1), *failed(2, 3, score=1.0)], {}, []),
        (failed(1, 2, 3), {"solved": 3}, [1, 2, 3]),
        (failed(1, 2), {"tries": 0}, []),
        ([*failed(1), *failed(1, score=1.0)], {}, []),
    ],
)
def test_failed_instances_are_tried_until_enough_are_solved(tried, amount, seeds):
    found, told = wander(Form(), tried, **amount)
    assert [one.trajectory.task.seed for one in found] == seeds
    assert [one.task.seed for one in told] == seeds


def test_what_chance_does_not_solve_in_time_is_left():
    assert [one.tries for one in wander(Form(hopeless=True), failed(1, 2), tries=7)[1]] == [7]
    world = Form(hopeless=True)
    assert wander(world, failed(1), seconds=5)[1][0].steps is None
    assert len(world.done) < 5


def test_a_broken_world_is_not_tried_again():
    assert [one.tries for one in wander(Form(broken=True), failed(1))[1]] == [1]


def test_texts_are_what_the_goal_quotes_or_else_names_and_nothing_is_written_where_it_stands():
    now = Observation(goal='Write "a b" to Ann', text="", elements=(Element(ref="1", role="textbox", value=""),))
    assert ways(FILL, View(now)) == [Action(verb="fill", arguments={"ref": "1", "text": "a b"})]
    there = now.model_copy(update={"elements": (Element(ref="1", role="textbox", value="a b"),)})
    assert ways(FILL, View(there)) == []
    plain = now.model_copy(update={"goal": "Write to Ann at 5"})
    assert [one.arguments["text"] for one in ways(FILL, View(plain))] == ["Ann", "5"]


def test_a_text_that_looks_like_a_ref_is_a_text():
    field, other = Element(ref="1", role="textbox", value=""), Element(ref="5", role="button", name="Save")
    now = Observation(goal="Write to Ann at 5", text="", elements=(field, other))
    five = Action(verb="fill", arguments={"ref": "1", "text": "5"})
    assert five in ways(FILL, View(now))
    assert View(now).kind(five) == ("fill", "textbox ", "value 1")
    saved = other.model_copy(update={"value": "1"})
    assert len(ways(CLICK, View(now.model_copy(update={"elements": (field, saved)})))) == 2


def test_a_number_is_chosen_where_its_schema_has_examples():
    here = View(Observation(goal="g", text=""))
    assert ways(verb("wait", seconds={"type": "number"}), here) == []
    assert [one.arguments for one in ways(verb("wait", seconds={"type": "number", "examples": [2]}), here)] == [
        {"seconds": 2}
    ]
    assert [one.arguments for one in ways(verb("turn", to={"enum": ["left", "right"]}), here)] == [
        {"to": "left"},
        {"to": "right"},
    ]


def test_nothing_is_put_onto_itself():
    drag = verb("drag", from_ref=REF, to_ref=REF)
    now = Observation(goal="g", text="", elements=(Element(ref="1", role="a"), Element(ref="2", role="b")))
    assert [tuple(one.arguments.values()) for one in ways(drag, View(now))] == [("1", "2"), ("2", "1")]


class Board:
    """Buttons by name; the right one ends the task well, a wrong one too if `ends`.

    Without an end each press leads to the next of so many `states`; only wiping does nothing.
    """

    def __init__(self, names, right="", *, verbs=(CLICK,), ends=True, goal="g", states=1):
        self.names, self.right, self.verbs, self.ends, self.goal, self.states = names, right, verbs, ends, goal, states
        self.done = []

    def reset(self, task):
        self.state = 0
        return self.seen()

    def seen(self):
        elements = [Element(ref=str(n), role="button", name=name) for n, name in enumerate(self.names)]
        return Observation(goal=self.goal, text=str(self.state), elements=tuple(elements))

    def step(self, action):
        ref = action.arguments["ref"]
        self.done.append((self.state, action.verb, ref))
        if ref == self.right or (self.ends and self.names[int(ref)] != "Lamp"):
            return Outcome(observation=self.seen(), reward=float(ref == self.right), terminated=True)
        if action.verb != "wipe":
            self.state = (self.state + 1) % self.states
        return Outcome(observation=self.seen(), reward=0.0)


def test_what_is_known_to_lead_back_is_not_done_again():
    world = Board(["Lamp"], states=2)
    wander(world, failed(1))
    assert world.done.count((1, "click", "0")) == 1


def test_of_two_ways_that_lead_to_the_same_one_is_enough():
    world = Board(["Next"], verbs=(CLICK, verb("tap", ref=REF)), ends=False, states=50)
    wander(world, failed(1))
    for state in range(3):
        times = [world.done.count((state, name, "0")) for name in ("click", "tap")]
        assert min(times) <= 1 < max(times)


def test_a_verb_that_does_nothing_is_tried_less_and_less():
    world = Board(["Next"], verbs=(WIPE, CLICK), ends=False, states=50)
    wander(world, failed(1), tries=10)
    assert 3 * sum(name == "wipe" for _, name, _ in world.done) < len(world.done)


def test_the_commoner_verb_comes_first_on_the_same_thing():
    world = Board(["A", "B", "C"], verbs=(CLICK, verb("tap", ref=REF)), ends=False, states=9)
    wander(world, failed(1))
    tapped = [(number, state, ref) for number, (state, name, ref) in enumerate(world.done) if name == "tap"]
    assert tapped
    assert all((state, "click", ref) in world.done[:number] for number, state, ref in tapped)


def test_what_the_goal_names_is_not_lost_among_many():
    first = []
    for seed in range(60):
        world = Board(["the one", *(f"b{number}" for number in range(99))], goal="press the one")
        wander(world, failed(seed), tries=1)
        first.append(world.done[0][2])
    assert 18 < first.count("0") < 40, "and the others are not forgotten"


def test_a_number_is_the_same_with_zeros_before_it():
    now = View(Observation(goal="choose 12/02/2016 and floor 0", text=""))
    two, zero, three = (now.bearing(Element(ref=name, role="link", name=name)) for name in ("2", "00", "3"))
    assert two == zero > three


def test_what_the_goals_of_other_instances_do_not_say_is_a_text_too():
    fill = verb("fill", ref=REF, text={"type": "string"})
    now = Observation(goal="Search for action movies.", text="", elements=(Element(ref="1", role="textbox"),))
    other = "Search for western movies."
    assert [one.arguments["text"] for one in ways(fill, View(now, [other]))] == ["action"]
    assert ways(fill, View(now)) == []


def test_a_text_is_written_twice_only_where_no_other_is_left():
    elements = tuple(Element(ref=ref, role="textbox") for ref in "12")
    now = View(Observation(goal='write "a" and "b"', text="", elements=elements))
    alone = View(Observation(goal='write "a" twice', text="", elements=elements))
    second = Action(verb="fill", arguments={"ref": "2", "text": "a"})
    assert now.again(second, {"1": "a"})
    assert not alone.again(second, {"1": "a"})
    assert not now.again(second, {"1": "a", "3": "b"})
    assert alone.again(second, {"2": "a"}), "it stands there"


class Told(Form):
    """The word is told in small letters and without quotation marks."""

    def reset(self, task):
        super().reset(task)
        self.word = ("swift", "calm")[task.seed % 2]
        self.goal = f"open the form and write {self.word} there"
        return self.seen()


def test_what_only_one_instance_asks_for_is_written_there():
    def of(*goals):
        return [
            attempt(Trajectory(task=TASK.model_copy(update={"seed": seed}), goal=goal), 0.0)
            for seed, goal in enumerate(goals)
        ]

    goals = [f"open the form and write {word} there" for word in ("swift", "calm")]
    assert len(wander(Told(), of(*goals))[0]) == 2
    assert wander(Told(), of(goals[0], goals[0]))[0] == []


class Movies:
    """Two fields for what the goal names, told apart by what stands before it; Go ends it."""

    verbs = (FILL, CLICK)

    def __init__(self):
        self.filled, self.again = [], 0

    def reset(self, task):
        self.held = {"1": "", "2": ""}
        return self.seen()

    def seen(self):
        fields = [
            Element(ref=ref, role="textbox", name=name, value=self.held[ref])
            for ref, name in (("1", "Username"), ("2", "Year"))
        ]
        elements = (*fields, Element(ref="3", role="button", name="Go"))
        return Observation(goal="for year 1998 the username is Bo", text=str(self.held), elements=elements)

    def step(self, action):
        ref = action.arguments["ref"]
        if ref == "3":
            right = self.held == {"1": "Bo", "2": "1998"}
            return Outcome(observation=self.seen(), reward=float(right), terminated=True)
        if action.verb == "fill":
            self.filled.append((ref, action.arguments["text"]))
            self.again += bool(self.held[ref])
            self.held[ref] = action.arguments["text"]
        return Outcome(observation=self.seen(), reward=0.0)


def test_a_text_goes_where_the_goal_says_it():
    world = Movies()
    for seed in range(30):
        wander(world, failed(seed), tries=1)
    right = world.filled.count(("1", "Bo")) + world.filled.count(("2", "1998"))
    assert right > 3 * (len(world.filled) - right)


def test_what_was_written_is_rarely_written_over():
    world = Movies()
    for seed in range(30):
        wander(world, failed(seed), tries=3)
    assert 4 * world.again < len(world.filled)


def test_what_the_goal_names_comes_first_and_so_does_what_solved_another_instance():
    names = [f"b{number}" for number in range(40)]
    plain = wander(Board(names, "17"), failed(1))[1][0].tries
    assert wander(Board(names, "17", goal="press b17"), failed(1))[1][0].tries < plain
    step = Step(observation=Board(names).reset(TASK), action=Action(verb="click", arguments={"ref": "17"}))
    solved = attempt(Trajectory(task=TASK, goal="g", steps=(step,)), 1.0)
    assert wander(Board(names, "17"), [*failed(1), solved])[1][0].tries < plain


def test_of_two_things_of_one_name_the_same_one_is_taken_again():
    found, _ = wander(Board(["Lamp", "Go", "Go"], "2", states=9), failed(*range(12)), solved=12)
    assert [len(one.trajectory.steps) for one in found] == [1] * 12


def test_a_try_is_no_longer_than_the_task_allows():
    world = Board(["Next"], ends=False, states=50)
    (one,) = failed(1)
    task = TASK.model_copy(update={"max_steps": 2})
    short = one.model_copy(update={"trajectory": one.trajectory.model_copy(update={"task": task})})
    wander(world, [short])
    assert max(state for state, _, _ in world.done) == 1


class Fork(Board):
    """From the start A and B lead to places of their own, where nothing changes anything."""

    def reset(self, task):
        self.names = ["A", "B"]
        return super().reset(task)

    def step(self, action):
        ref = action.arguments["ref"]
        self.done.append((self.state, ref))
        if self.state == 0:
            self.state, self.names = 1 + int(ref), ["Wall"]
        return Outcome(observation=self.seen(), reward=0.0)


def test_a_state_from_which_all_was_tried_is_a_dead_end_too():
    world = Fork([])
    (told,) = wander(world, failed(1))[1]
    assert sorted(world.done) == [(0, "0"), (0, "1"), (1, "0"), (2, "0")]
    assert told.tries < 5


class Login(Form):
    """What was written is shown as dots, and only the right words in the right fields count."""

    verbs = (CLICK, FILL)

    def reset(self, task):
        self.held, self.goal = {"0": "", "1": ""}, 'Log in as "karen" with "Pq3xZ"'
        return self.seen()

    def seen(self):
        fields = [Element(ref=ref, role="textbox", name="", value="•" * len(held)) for ref, held in self.held.items()]
        text = " ".join(one.value for one in fields)
        return Observation(goal=self.goal, text=text, elements=(*fields, Element(ref="2", role="button", name="OK")))

    def step(self, action):
        if action.verb == "fill":
            self.held[action.arguments["ref"]] = action.arguments["text"]
            return Outcome(observation=self.seen(), reward=0.0)
        if action.arguments["ref"] != "2":
            return Outcome(observation=self.seen(), reward=0.0)
        right = [*self.held.values()] == ["karen", "Pq3xZ"]
        return Outcome(observation=self.seen(), reward=float(right), terminated=True)


def test_states_that_look_alike_are_told_apart_by_what_was_written():
    found, _ = wander(Login(), failed(*range(20)), solved=20, tries=100)
    assert len(found) == 20


def test_two_equal_values_are_not_one_thing_put_onto_itself():
    place = {"enum": [0, 1]}
    cells = ways(verb("mark", x=place, y=place), View(Observation(goal="g", text="")))
    assert [tuple(one.arguments.values()) for one in cells] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_of_very_many_ways_those_remain_that_the_goal_names():
    things = [Element(ref=str(number), role="a", name=f"b{number}") for number in range(50)]
    now = View(Observation(goal="drag b48 onto b49", text="", elements=tuple(things)))
    first, *_ = ways(verb("drag", from_ref=REF, to_ref=REF), now)
    assert first.arguments == {"from_ref": "48", "to_ref": "49"}


@pytest.mark.parametrize("parameters", [{}, {"required": ["q"]}, {"properties": {"q": True}, "required": ["q"]}])
def test_a_verb_without_a_schema_for_what_it_needs_has_no_way(parameters):
    odd = CLICK.model_copy(update={"parameters": parameters})
    assert len(ways(odd, View(Observation(goal="g", text="")))) == (not parameters)


def test_short_ways_come_first():
    world = Board(["Next"], ends=False, states=50)
    wander(world, failed(1), tries=3)
    assert [number for number, (state, _, _) in enumerate(world.done) if state == 0][:2] == [0, 4]


class Tree(Board):
    """Each way leads to a place of its own; `Stop` ends it in failure, and so does all but the right way at `deep`."""

    deep = 99

    def step(self, action):
        ref = action.arguments["ref"]
        self.done.append((self.state, action.verb, ref))
        if self.names[int(ref)] == "Stop":
            return Outcome(observation=self.seen(), reward=0.0, terminated=True)
        self.state = 10 * self.state + 1 + int(ref) + 5 * (action.verb == "tap")
        done = self.state >= 10**self.deep
        right = done and str(self.state) == self.right
        return Outcome(observation=self.seen(), reward=float(right), terminated=done)


def test_what_ended_in_failure_comes_later():
    world = Tree(["Stop", "A", "B"])
    wander(world, failed(1))
    stops = sum(ref == "0" for _, _, ref in world.done)
    assert 0 < stops < len(world.done) / 10


def test_what_followed_in_another_success_follows_again():
    def tries(*examples):
        told = []
        for seed in range(20):
            world = Tree(["A", "B", "C", "D"], "243")
            world.deep = 2
            told += wander(world, [*failed(seed), *examples])[1]
        return sum(one.tries for one in told)

    def example(*refs):
        now = Tree(["A", "B", "C", "D"]).reset(TASK)
        steps = [Step(observation=now, action=Action(verb="click", arguments={"ref": ref})) for ref in refs]
        return attempt(Trajectory(task=TASK.model_copy(update={"seed": 99}), goal="g", steps=tuple(steps)), 1.0)

    assert 3 * tries(example("1", "3", "2")) < tries()


def test_what_solved_one_instance_leads_in_the_next():
    told = wander(Board([f"b{number}" for number in range(40)], "17"), failed(*range(20)), solved=20)[1]
    assert sum(one.tries for one in told[1:]) < 6 * len(told[1:])


def test_an_element_that_shares_a_word_with_the_goal_comes_sooner():
    names = [f"b{number}" + " crimson" * (number == 17) for number in range(40)]
    worlds = (Board(names, "17", goal=goal) for goal in ("a crimson thing", "a thing"))
    told, plain = (sum(wander(world, failed(seed))[1][0].tries for seed in range(30)) for world in worlds)
    assert 2 * told < plain


def test_verbs_that_are_named_first_are_commoner():
    world = Tree(["Next"], verbs=(CLICK, verb("tap", ref=REF)))
    wander(world, failed(1))
    names = [name for _, name, _ in world.done]
    assert 1.15 < names.count("click") / names.count("tap") < 4, "and the others are not forgotten"


@pytest.mark.parametrize(("seconds", "tries"), [(5, 1), (100, 3)])
def test_a_success_is_made_shorter_only_while_there_is_time(seconds, tries):
    world = Tree(["A"], "11")
    world.deep = 1
    found, (told,) = wander(world, failed(1), seconds=seconds)
    assert [len(one.trajectory.steps) for one in found] == [2]
    assert told.tries == tries


class Dial:
    """One turn of a dial to the right number; chance knows no turn by itself."""

    verbs = (verb("turn", to={"type": "integer"}),)

    def __init__(self):
        self.turned = []

    def reset(self, task):
        self.right = task.seed
        return Observation(goal=f"Turn the dial {task.seed}", text="a dial")

    def step(self, action):
        self.turned.append(action.arguments["to"])
        done = float(action.arguments["to"] == self.right)
        return Outcome(observation=Observation(goal="", text="turned"), reward=done, terminated=True)


def turned(seed, *to):
    world = Dial()
    steps = [Step(observation=world.reset(TASK), action=Action(verb="turn", arguments={"to": one})) for one in to]
    task = TASK.model_copy(update={"seed": seed})
    return attempt(Trajectory(task=task, goal=f"Turn the dial {seed}", steps=tuple(steps)), 0.0)


def beside(task, goal, action):
    to = action.arguments["to"]
    return (Action(verb="turn", arguments={"to": one}) for one in (to, to + 1, to - 1, to + 2, to - 2))


def test_what_is_near_what_the_agent_did_is_tried_first():
    found, (told,) = wander(world := Dial(), [turned(7, 5)], near=beside)
    assert world.turned == [5, 6, 4, 7, 3]
    assert [one.trajectory.lucky for one in found] == [True]
    assert (told.tries, told.steps) == (5, 1)


def test_what_was_asked_of_memory_is_not_done_again_before_what_is_near():
    world, failure = Dial(), turned(7, 5)
    (step,) = failure.trajectory.steps
    question = step.model_copy(update={"action": Action(verb="recall", arguments={"to": 0}), "recalled": "nothing"})
    asked = failure.trajectory.model_copy(update={"steps": (question, step)})
    (one, *_), _ = wander(world, [failure.model_copy(update={"trajectory": asked})], near=beside)
    assert world.turned == [5, 6, 4, 7, 3]
    assert len(one.trajectory.steps) == 1


def test_several_successes_near_a_failure_are_found_as_each_may_be_luck():
    world = Dial()
    world.step = lambda action: Outcome(observation=Observation(goal="", text=""), reward=1.0, terminated=True)
    found, (told,) = wander(world, [turned(7, 5), turned(9, 5)], near=beside, solved=1)
    assert [one.trajectory.steps[0].action.arguments["to"] for one in found] == [5, 6, 4, 7]
    assert told.tries == 4


def test_what_is_near_several_tries_is_tried_by_turns_and_once():
    _, told = wander(world := Dial(), [turned(30, 1), turned(30, 3)], near=beside)
    assert world.turned == [1, 3, 2, 4, 0, 5, -1]
    assert (told[0].tries, told[0].steps) == (7, None)


def test_no_more_near_tries_are_made_than_allowed():
    wander(world := Dial(), [turned(30, 1)], near=beside, near_tries=2)
    assert world.turned == [1, 2]
    wander(world := Dial(), [turned(30, 1)], near=beside, near_tries=0)
    assert not world.turned


def test_an_instance_that_is_not_found_near_leaves_the_next_to_be_found():
    found, _ = wander(Dial(), [turned(30, 5), turned(6, 5)], near=beside)
    assert [one.trajectory.task.seed for one in found] == [6]
