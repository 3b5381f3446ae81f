"""Programs: reading and writing them, filling their slots, finding their elements, and stepping through them.

What acts with a program and what learns one both build on this room. Nothing here asks a model or touches a world.
"""
