"""Measurements, each against a named peer or stated plainly. Run with `make bench`."""
