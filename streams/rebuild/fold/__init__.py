"""Decodes and folds events in memory."""
