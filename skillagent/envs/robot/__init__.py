"""Simulated robots: Meta-World in words, closed-loop primitives, and demonstrations cut into phases."""
