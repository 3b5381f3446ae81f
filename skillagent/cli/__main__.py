"""Run the command line as `python -m skillagent.cli`."""

import sys

from skillagent.cli import main

if __name__ == "__main__":
    sys.exit(main())
