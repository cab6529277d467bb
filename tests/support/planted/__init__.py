"""Roles with a planted fault, which the checkers must find."""
