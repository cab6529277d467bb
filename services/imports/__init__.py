"""Imports: files of contacts, deals and objects become facts, row by row."""
