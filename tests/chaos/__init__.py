"""Fault injection: breaks a stack of its own again and again and checks that no fact is lost or counted twice."""
