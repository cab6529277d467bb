"""`python -m api.reference [FOLDER]`, build/reference unless told."""

import sys
from pathlib import Path

from api.reference import HOUSE, make

print(make(Path(sys.argv[1] if sys.argv[1:] else HOUSE / "build" / "reference")))
