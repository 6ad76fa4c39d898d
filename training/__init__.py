"""Preference training: runs on disk, each in a process of its own, and the adapters that they give.

Importing this package, `config`, `events`, `pairs_data`, `runs` or the command line does not import
torch; only the worker process does.
"""
