"""Bank statements in files: readers of their formats, the identity of each line, and the facts that they become."""
