"""How vendors sign, where several sign alike."""
