"""Evaluation: suites, arms and statistics. Measures the agent; never teaches it."""
