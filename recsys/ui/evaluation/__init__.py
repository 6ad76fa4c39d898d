"""The evaluation tab: which methods on which dataset, progress, tables and plots, two reports compared."""
