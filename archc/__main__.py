"""`python -m archc` is the same command as `archc`."""

import sys

from archc.commands import main

if __name__ == "__main__":
    sys.exit(main())
