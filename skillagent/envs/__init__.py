"""Environments: worlds in which tasks are set. They know goals and rewards, not the agent."""
