"""What all stream roles share: the Faust worker, the loop, checkpoints, sessions, lag."""
