"""Plausibility: a frame against the rules in expectations/. Says nothing about structure."""
