"""Routing: which skills, insights and demonstrations to show for a subgoal. Returns ids; reads no files."""
