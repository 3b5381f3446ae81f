"""skillagent: an agent with an evolving, gated library of skills and insights.

Importing the package is cheap: nothing heavy is loaded and nothing is read from the environment.
"""

__version__ = "0.1.0"
