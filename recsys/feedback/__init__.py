"""Thumbs up and down for answers and items, kept as rows and exported as preference pairs."""
