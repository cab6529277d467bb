"""How a rebuild folds events in memory."""
