"""How a trained model differs from what it was."""
