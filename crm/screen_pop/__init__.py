"""The screen pop: who is calling, for the employee whose telephone rings. Pure, but for `look_up`."""
