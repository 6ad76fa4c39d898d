"""How far the judgements can be trusted: one measure a file, `report` puts them together.

measure      what every measure gives: a value or an honest "too few", and its parts
alpha        Krippendorff's alpha, for best and for worst
pairwise     how often two annotators choose the same
gold         tags that are known, per annotator
repeats      how often an annotator chooses the same again
position     whether places on the page are chosen unequally
length       whether the longer answer wins
times        active seconds a prompt
throughput   judgements an active hour
scores       best minus worst, per model and adapter
"""
