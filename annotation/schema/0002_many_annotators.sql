-- Many annotators at once: who works on what, what is half done, what is known, and how long it took.
-- Facts (flags, gold, repeats, policies) are only ever added; leases, drafts and clocks come and go.

ALTER TABLE candidates ADD COLUMN marks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(marks));
ALTER TABLE candidates ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;  -- times that this place was sampled

-- A flag is a skip that also takes the task from everybody until it is undone or revised.
CREATE TABLE flags (
    judgement_id INTEGER PRIMARY KEY REFERENCES judgements (id)
);

-- Prompts whose best or worst answer is known; they test annotators and are never trained on.
CREATE TABLE gold (
    prompt_id INTEGER PRIMARY KEY REFERENCES prompts (id),
    best INTEGER CHECK (best BETWEEN 0 AND 4),
    worst INTEGER CHECK (worst BETWEEN 0 AND 4),
    created TEXT NOT NULL,
    CHECK (best <> worst),
    CHECK (best IS NOT NULL OR worst IS NOT NULL)
);

-- A prompt that one annotator sees a second time, as a prompt of its own with copied candidates.
CREATE TABLE repeats (
    prompt_id INTEGER PRIMARY KEY REFERENCES prompts (id),
    original INTEGER NOT NULL REFERENCES prompts (id),
    annotator TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (original, annotator),
    FOREIGN KEY (original, annotator) REFERENCES displays (prompt_id, annotator)
);

-- How prompts are sampled and given out; the newest row counts.
CREATE TABLE policies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    policy TEXT NOT NULL CHECK (json_valid(policy)),
    created TEXT NOT NULL
);

-- A place among a prompt's annotators, kept while somebody works on it.
CREATE TABLE leases (
    prompt_id INTEGER NOT NULL,
    annotator TEXT NOT NULL,
    expires REAL NOT NULL,                 -- Unix seconds
    PRIMARY KEY (prompt_id, annotator),
    FOREIGN KEY (prompt_id, annotator) REFERENCES displays (prompt_id, annotator)
);

CREATE TABLE drafts (
    prompt_id INTEGER NOT NULL,
    annotator TEXT NOT NULL,
    best INTEGER,
    worst INTEGER,
    updated TEXT NOT NULL,
    PRIMARY KEY (prompt_id, annotator),
    CHECK (best <> worst),
    FOREIGN KEY (prompt_id, annotator) REFERENCES displays (prompt_id, annotator),
    FOREIGN KEY (best, prompt_id) REFERENCES candidates (id, prompt_id),
    FOREIGN KEY (worst, prompt_id) REFERENCES candidates (id, prompt_id)
);

-- Active seconds a prompt and annotator; one clock an annotator, so that no second is counted twice.
CREATE TABLE activity (
    prompt_id INTEGER NOT NULL,
    annotator TEXT NOT NULL,
    seconds REAL NOT NULL CHECK (seconds >= 0),
    PRIMARY KEY (prompt_id, annotator),
    FOREIGN KEY (prompt_id, annotator) REFERENCES displays (prompt_id, annotator)
);

CREATE TABLE clocks (
    annotator TEXT PRIMARY KEY,
    prompt_id INTEGER,                     -- what is being worked on; NULL between two prompts
    at REAL NOT NULL                       -- Unix seconds of the last sign of work
);

CREATE INDEX judgements_by_prompt ON judgements (prompt_id, annotator);

DROP VIEW current_judgements;

CREATE VIEW current_judgements AS
SELECT row.id, row.prompt_id, row.annotator,
    CASE WHEN EXISTS (SELECT 1 FROM flags WHERE judgement_id = row.id) THEN 'flag' ELSE row.kind END AS kind,
    row.best, row.worst, row.reason, row.supersedes, row.created
FROM judgements AS row
WHERE NOT EXISTS (SELECT 1 FROM judgements AS later WHERE later.supersedes = row.id);

-- What follows from a prompt's judgements, kept beside them because assignment asks at every prompt.
CREATE TABLE tallies (
    prompt_id INTEGER PRIMARY KEY REFERENCES prompts (id),
    judged INTEGER NOT NULL,
    flagged INTEGER NOT NULL,
    disputed INTEGER NOT NULL              -- whether two annotators chose differently
);

CREATE INDEX tallies_disputed ON tallies (prompt_id) WHERE disputed;

CREATE VIEW current_tallies AS
SELECT prompt_id, sum(kind = 'judge') AS judged, sum(kind = 'flag') AS flagged,
    count(DISTINCT best) > 1 OR count(DISTINCT worst) > 1 AS disputed
FROM current_judgements GROUP BY prompt_id;

INSERT INTO tallies SELECT prompt_id, judged, flagged, disputed FROM current_tallies;

CREATE TRIGGER judgements_tally AFTER INSERT ON judgements
BEGIN
    INSERT OR REPLACE INTO tallies
    SELECT prompt_id, judged, flagged, disputed FROM current_tallies WHERE prompt_id = NEW.prompt_id;
END;

CREATE TRIGGER flags_tally AFTER INSERT ON flags
BEGIN
    INSERT OR REPLACE INTO tallies
    SELECT prompt_id, judged, flagged, disputed FROM current_tallies
    WHERE prompt_id = (SELECT prompt_id FROM judgements WHERE id = NEW.judgement_id);
END;

CREATE TRIGGER flags_mark_skips BEFORE INSERT ON flags
WHEN (SELECT kind FROM judgements WHERE id = NEW.judgement_id) <> 'skip'
BEGIN SELECT RAISE(ABORT, 'only a skip can be a flag'); END;

CREATE TRIGGER flags_keep BEFORE UPDATE ON flags
BEGIN SELECT RAISE(ABORT, 'a flag cannot be changed'); END;

CREATE TRIGGER flags_stay BEFORE DELETE ON flags
BEGIN SELECT RAISE(ABORT, 'a flag cannot be deleted'); END;

CREATE TRIGGER gold_keep BEFORE UPDATE ON gold
BEGIN SELECT RAISE(ABORT, 'what is known cannot be changed'); END;

CREATE TRIGGER repeats_keep BEFORE UPDATE ON repeats
BEGIN SELECT RAISE(ABORT, 'a repeat cannot be changed'); END;

CREATE TRIGGER repeats_stay BEFORE DELETE ON repeats
BEGIN SELECT RAISE(ABORT, 'a repeat cannot be deleted'); END;

CREATE TRIGGER policies_keep BEFORE UPDATE ON policies
BEGIN SELECT RAISE(ABORT, 'a policy cannot be changed'); END;

CREATE TRIGGER policies_stay BEFORE DELETE ON policies
BEGIN SELECT RAISE(ABORT, 'a policy cannot be deleted'); END;
