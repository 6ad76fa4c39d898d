"""One method a file: a case in, a score for every item of the catalogue out."""
