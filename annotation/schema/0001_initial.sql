-- Prompts, candidates and judgements are facts: rows are added, never changed.

CREATE TABLE prompts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,              -- SHA-256 of what the model is given
    origin TEXT NOT NULL,                  -- where the prompt came from, e.g. 'demo'
    situation TEXT NOT NULL CHECK (situation IN ('passive', 'active')),
    form TEXT NOT NULL CHECK (form IN ('direct', 'listwise')),
    language TEXT NOT NULL,
    source_domain TEXT NOT NULL,           -- '' without a history
    target_domain TEXT NOT NULL,
    system TEXT NOT NULL,
    heading TEXT NOT NULL,                 -- the instruction is heading, history lines and ask
    history TEXT NOT NULL CHECK (json_valid(history)),
    ask TEXT NOT NULL,
    query TEXT NOT NULL,
    history_items TEXT NOT NULL CHECK (json_valid(history_items)),
    options TEXT NOT NULL CHECK (json_valid(options)),
    seed INTEGER NOT NULL,                 -- draws the options of a listwise prompt
    created TEXT NOT NULL
);

CREATE TABLE candidates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt_id INTEGER NOT NULL REFERENCES prompts (id),
    batch TEXT NOT NULL,
    position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 4),
    text TEXT NOT NULL,
    model TEXT NOT NULL,
    adapter TEXT,
    seed INTEGER NOT NULL,
    sampling TEXT NOT NULL CHECK (json_valid(sampling)),
    tokens INTEGER NOT NULL,
    finish TEXT NOT NULL CHECK (finish IN ('stop', 'length')),
    left_out INTEGER NOT NULL,             -- history lines that did not fit the context
    created TEXT NOT NULL,
    UNIQUE (prompt_id, position),
    UNIQUE (id, prompt_id)
);

-- Who is sampling which prompt right now, so that no prompt is sampled twice.
CREATE TABLE claims (
    prompt_id INTEGER PRIMARY KEY REFERENCES prompts (id),
    owner TEXT NOT NULL,
    expires REAL NOT NULL                  -- Unix seconds; a dead owner's claim lapses
);

-- The order in which one annotator saw a prompt's candidates.
CREATE TABLE displays (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt_id INTEGER NOT NULL REFERENCES prompts (id),
    annotator TEXT NOT NULL,
    positions TEXT NOT NULL CHECK (json_valid(positions)),
    created TEXT NOT NULL,
    UNIQUE (prompt_id, annotator)
);

CREATE INDEX displays_by_annotator ON displays (annotator, prompt_id);

-- One chain a prompt and annotator: every row supersedes the one before it, the last one counts.
CREATE TABLE judgements (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt_id INTEGER NOT NULL,
    annotator TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('judge', 'skip', 'undo')),
    best INTEGER,
    worst INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    supersedes INTEGER UNIQUE,
    created TEXT NOT NULL,
    UNIQUE (id, prompt_id, annotator),
    CHECK (best <> worst),
    CHECK ((best IS NOT NULL) = (kind = 'judge') AND (worst IS NOT NULL) = (kind = 'judge')),
    CHECK (kind <> 'undo' OR supersedes IS NOT NULL),
    FOREIGN KEY (prompt_id, annotator) REFERENCES displays (prompt_id, annotator),
    FOREIGN KEY (best, prompt_id) REFERENCES candidates (id, prompt_id),
    FOREIGN KEY (worst, prompt_id) REFERENCES candidates (id, prompt_id),
    FOREIGN KEY (supersedes, prompt_id, annotator) REFERENCES judgements (id, prompt_id, annotator)
);

CREATE UNIQUE INDEX judgements_one_chain ON judgements (prompt_id, annotator) WHERE supersedes IS NULL;

CREATE INDEX judgements_by_annotator ON judgements (annotator, prompt_id);

CREATE VIEW current_judgements AS
SELECT * FROM judgements AS row
WHERE NOT EXISTS (SELECT 1 FROM judgements AS later WHERE later.supersedes = row.id);

CREATE TRIGGER prompts_keep BEFORE UPDATE ON prompts
BEGIN SELECT RAISE(ABORT, 'a prompt cannot be changed'); END;

CREATE TRIGGER candidates_keep BEFORE UPDATE ON candidates
BEGIN SELECT RAISE(ABORT, 'a candidate cannot be changed'); END;

CREATE TRIGGER candidates_stay BEFORE DELETE ON candidates
WHEN EXISTS (SELECT 1 FROM displays WHERE prompt_id = OLD.prompt_id)
BEGIN SELECT RAISE(ABORT, 'a candidate that was shown cannot be deleted'); END;

CREATE TRIGGER displays_keep BEFORE UPDATE ON displays
BEGIN SELECT RAISE(ABORT, 'a display cannot be changed'); END;

CREATE TRIGGER displays_stay BEFORE DELETE ON displays
BEGIN SELECT RAISE(ABORT, 'a display cannot be deleted'); END;

CREATE TRIGGER judgements_keep BEFORE UPDATE ON judgements
BEGIN SELECT RAISE(ABORT, 'a judgement cannot be changed'); END;

CREATE TRIGGER judgements_stay BEFORE DELETE ON judgements
BEGIN SELECT RAISE(ABORT, 'a judgement cannot be deleted'); END;
