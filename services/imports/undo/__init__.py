"""The undo of imports: what the history says that an import did, and the facts that take it back."""
