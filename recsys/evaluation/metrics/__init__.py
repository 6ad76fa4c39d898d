"""One metric a file. Those of a case take the ranks of its targets (1 is best, rising)."""
