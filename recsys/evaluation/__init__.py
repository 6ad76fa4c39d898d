"""How good recommendations are: datasets as cases, methods, metrics and the report that compares them."""
