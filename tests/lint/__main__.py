"""`python -m tests.lint [PATHS]`."""

import sys

from tests.lint.run import main

sys.exit(main(sys.argv[1:]))
