"""Writes the API reference: `python -m api.reference [FOLDER]`, by default to build/reference."""

import sys
from pathlib import Path

from api.reference import ROOT, make

print(make(Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "reference")))
