"""BabyAI: a grid of rooms, keys and doors, and missions in words."""
