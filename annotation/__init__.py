"""Preference data: prompts, five candidate answers each, people's best and worst tags, and the pairs.

    tasks        prompts made from the demo histories and queries; `prompt_files` from a file
    sampling     candidates sampled ahead in the background, so that nobody waits for the model;
                 `five` writes them, `flaws` looks at them, `writers` says which models
    store        one SQLite file: `prompts`, `assignment` and `leases`, append-only `judgements`, `drafts`,
                 `activity`, `history`, the lead's `policy`
    snapshot     everything that was judged, from one moment
    selection    which judgements become rows, and why the others do not; `merging` of several annotators
    pairs        chosen-over-rejected rows for DPO; `export` writes them for other tools
    quality      how far the judgements can be trusted
    backup       backup, restore and check
    service      all of it for one caller: the Annotate tab, HTTP and the command line

It uses `recsys` and knows nothing of `training`, which takes its rows from `annotation.pairs`.
"""
