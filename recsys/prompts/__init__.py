"""Prompt templates as data files, and the code that renders them."""
