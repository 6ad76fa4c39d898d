"""The commands of `python -m annotation`, by what they are about."""
