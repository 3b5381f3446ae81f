"""For all tests: a property is held to what it says, not to how fast a busy machine shows it."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
