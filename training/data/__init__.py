"""Rows to train on: read, checked, split."""
