"""Decides a past period again with other rules and compares the result with what happened. Changes nothing live."""
