"""Measurements against peers: ratios within one run. Not part of the package or of the tests."""
