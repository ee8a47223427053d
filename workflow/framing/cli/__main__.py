"""``python -m framing.cli`` is the command ``framing``."""

import sys

from framing.cli.main import main

sys.exit(main())
