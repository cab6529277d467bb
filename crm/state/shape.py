"""Which version of the folds this is: state that another one made is folded again from the journal."""

FOLDS = 10  # raise it with every change of an entity or a fold after which old events give another state
