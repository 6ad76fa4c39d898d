"""The data tab: sources in, instruction data out."""
