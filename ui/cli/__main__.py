"""Entry point of `python -m ui.cli`."""

import sys

from ui.cli.main import main

sys.exit(main())
