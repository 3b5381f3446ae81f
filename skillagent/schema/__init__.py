"""Schema: every noun of the package, in the order in which they come to exist in an episode.

All values are frozen: a change is a new value (`value.model_copy(update=...)`). Mappings inside them are treated as
read-only. A score of None means *unscored*, which is never the same as zero.

This module knows nothing of files, models or environments.
"""

from skillagent.schema.episode import (
    Attempt,
    Mended,
    Plan,
    Ran,
    Ranked,
    Replanned,
    Route,
    Score,
    Seconds,
    Step,
    Subgoal,
    Trajectory,
    Variation,
    Verdict,
    Wandered,
)
from skillagent.schema.items import Condition, Demonstration, Insight, InsightKind, KeyStep, Moment, Recalled, Skill
from skillagent.schema.learning import (
    Cause,
    Change,
    Decision,
    Edit,
    Lesson,
    Pair,
    PutDemonstration,
    PutInsight,
    PutSkill,
    RetireDemonstration,
    RetireInsight,
    RetireSkill,
)
from skillagent.schema.ledger import Attempted, Decided, Entry, Event, Label, Labelled, Remarked, RolledBack, Routed
from skillagent.schema.model import Message, Reply, Role, Usage
from skillagent.schema.program import Ask, Check, Do, Each, Expect, Filled, Node, Program, Repeat, Target, When
from skillagent.schema.task import Split, Task
from skillagent.schema.value import Json, Value, content_id, digest_of
from skillagent.schema.world import Action, Element, Observation, Outcome, Verb

__all__ = [
    # Value: what every noun is, a frozen model with a content digest.
    "Json",
    "Value",
    "content_id",
    "digest_of",
    # Tasks, and what a seed may be used for.
    "Split",
    "Task",
    # What the agent sees and does.
    "Verb",
    "Action",
    "Element",
    "Observation",
    "Outcome",
    # What a language model is asked and answers, and what that cost.
    "Message",
    "Usage",
    "Reply",
    "Role",
    # Plans, routes, and what happened.
    "Subgoal",
    "Plan",
    "Ran",
    "Ranked",
    "Route",
    "Replanned",
    "Step",
    "Variation",
    "Seconds",
    "Trajectory",
    "Verdict",
    "Wandered",
    "Mended",
    "Attempt",
    "Score",
    # What the library holds.
    "Skill",
    "Condition",
    "Insight",
    "InsightKind",
    "KeyStep",
    "Moment",
    "Recalled",
    "Demonstration",
    # A skill that runs: typed verbs with slots.
    "Target",
    "Check",
    "Do",
    "Ask",
    "Expect",
    "Each",
    "Repeat",
    "When",
    "Node",
    "Program",
    "Filled",
    # What attempts teach: lessons, edits, and what the gate says to them.
    "Cause",
    "Lesson",
    "PutSkill",
    "RetireSkill",
    "PutInsight",
    "RetireInsight",
    "PutDemonstration",
    "RetireDemonstration",
    "Change",
    "Edit",
    "Pair",
    "Decision",
    # The lines of the ledger.
    "Decided",
    "RolledBack",
    "Routed",
    "Attempted",
    "Remarked",
    "Label",
    "Labelled",
    "Entry",
    "Event",
]
