"""Instruction data out of real interactions: templates, search queries, responses, quality, mixture."""
