"""TRL's trainers as a run uses them. Imports torch."""
