"""How long tests wait. A long timeout costs nothing when all is well and tolerates a busy machine."""

TIMEOUT = 300.0  # seconds
