"""The Train tab: a form, the runs and their curves, and models side by side."""
