"""LIBERO: an arm among household things, told in words, as an environment."""
