"""A package with a fact that no list of the product names."""
