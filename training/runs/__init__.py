"""Training runs: state on disk, a process each, a queue."""
