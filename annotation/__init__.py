"""Preference data: prompts, five candidate answers each, people's best and worst tags, and the pairs.

    tasks      prompts made from the demo histories and queries
    sampling   candidates sampled ahead in the background, so that nobody waits for the model
    store      one SQLite file: prompts, candidates, what was shown, append-only judgements
    pairs      chosen-over-rejected rows for DPO, exported as JSON Lines
    service    all of it for one caller: the Annotate tab, HTTP and the command line

It uses `recsys` and knows nothing of `training`, which takes its rows from `annotation.pairs`.
"""
