"""How long a test waits for what must come. It costs nothing while all is well: a busy machine is no failure."""

PATIENCE = 120.0  # seconds
