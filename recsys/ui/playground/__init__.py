"""The playground tab: somebody's history or wish in, an answer and real items out."""
