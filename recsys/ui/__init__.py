"""The playground tab, and what the tabs of all packages share."""
