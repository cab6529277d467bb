"""What every stream role stands on: the Faust worker, its loop, checkpoints, sessions, lag."""
