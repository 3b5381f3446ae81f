"""Practice: where experience comes from. Chooses what to try; the loop tries it."""
