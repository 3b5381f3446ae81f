"""A table with cubes, bowls, plates and a drawer, and long tasks in words."""
