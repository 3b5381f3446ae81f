"""Evaluations: commands that measure, and what they measured."""
