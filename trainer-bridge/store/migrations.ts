// The tables of the store, as numbered steps from an empty file to today's; a step that was released is never edited.

/** Step i brings a store from version i to i + 1; `PRAGMA user_version` holds the version. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE run (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    trajectoryCount INTEGER NOT NULL DEFAULT 0,
    actionCount INTEGER NOT NULL DEFAULT 0,
    missingCount INTEGER NOT NULL DEFAULT 0,
    overrideCount INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
  );

  CREATE TABLE trajectory (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    runN INTEGER NOT NULL REFERENCES run (n),
    iterationId TEXT,
    purpose TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reward REAL,
    actionCount INTEGER NOT NULL DEFAULT 0,
    scoredCount INTEGER NOT NULL DEFAULT 0,
    scoreSum REAL NOT NULL DEFAULT 0,
    minScore REAL,
    missingCount INTEGER NOT NULL DEFAULT 0,
    overrideCount INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
  );
  CREATE INDEX trajectoryOfRun ON trajectory (runN);
  CREATE INDEX trajectoryOfIteration ON trajectory (iterationId) WHERE iterationId IS NOT NULL;

  -- What changes or is listed of an action; its body lies apart, so that a mark costs no body.
  CREATE TABLE action (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    trajectoryN INTEGER NOT NULL REFERENCES trajectory (n),
    idx INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    agent TEXT NOT NULL,
    toolStatus TEXT,
    size INTEGER NOT NULL,
    recordCount INTEGER NOT NULL,
    coach REAL,
    override REAL
  );
  CREATE UNIQUE INDEX actionPlace ON action (trajectoryN, idx);
  CREATE TABLE actionBody (n INTEGER PRIMARY KEY REFERENCES action (n), body TEXT NOT NULL);
  CREATE TABLE actionTokens (
    n INTEGER PRIMARY KEY REFERENCES action (n),
    promptTokenIds BLOB NOT NULL,
    tokenIds BLOB NOT NULL,
    logprobs BLOB NOT NULL,
    temperature REAL NOT NULL
  );
  -- Contentless: the index alone, the text is in actionBody. "place" holds the run, so that a run is searched by the index.
  CREATE VIRTUAL TABLE actionText USING fts5 (body, place, content = '', columnsize = 0, prefix = '3', tokenize = 'unicode61 remove_diacritics 2');
  INSERT INTO actionText (actionText, rank) VALUES ('hashsize', 4194304), ('automerge', 0), ('crisismerge', 256);

  CREATE TABLE score (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    actionN INTEGER NOT NULL REFERENCES action (n),
    body TEXT NOT NULL
  );
  CREATE INDEX scoreOfAction ON score (actionN);

  CREATE TABLE event (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL);

  CREATE TABLE iteration (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    runN INTEGER NOT NULL REFERENCES run (n),
    idx INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE UNIQUE INDEX iterationPlace ON iteration (runN, idx);
  CREATE INDEX iterationUnfinished ON iteration (state) WHERE state NOT IN ('done', 'cancelled', 'failed');
  CREATE TABLE step (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, iterationId TEXT NOT NULL, body TEXT NOT NULL);
  CREATE INDEX stepOfIteration ON step (iterationId);
  CREATE TABLE stepScore (scoreId TEXT NOT NULL, stepN INTEGER NOT NULL REFERENCES step (n), PRIMARY KEY (scoreId, stepN)) WITHOUT ROWID;
  CREATE TABLE checkpoint (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, runN INTEGER NOT NULL REFERENCES run (n), policyVersion TEXT NOT NULL, body TEXT NOT NULL);
  CREATE UNIQUE INDEX checkpointName ON checkpoint (runN, policyVersion);

  CREATE TABLE command (
    agent TEXT NOT NULL,
    seq INTEGER NOT NULL,
    iterationId TEXT,
    path TEXT NOT NULL,
    bodyBlob TEXT NOT NULL,
    reply TEXT,
    PRIMARY KEY (agent, seq)
  ) WITHOUT ROWID;
  CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE blob (sha256 TEXT PRIMARY KEY, mime TEXT NOT NULL, sizeBytes INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TRIGGER scoreKept BEFORE UPDATE ON score BEGIN SELECT RAISE(ABORT, 'a score record is never changed'); END;
  CREATE TRIGGER scoreStays BEFORE DELETE ON score BEGIN SELECT RAISE(ABORT, 'a score record is never removed'); END;
  CREATE TRIGGER bodyKept BEFORE UPDATE ON actionBody BEGIN SELECT RAISE(ABORT, 'an action is never changed'); END;
  CREATE TRIGGER bodyStays BEFORE DELETE ON actionBody BEGIN SELECT RAISE(ABORT, 'an action is never removed'); END;
  CREATE TRIGGER tokensKept BEFORE UPDATE ON actionTokens BEGIN SELECT RAISE(ABORT, 'the tokens of an action are never changed'); END;
  CREATE TRIGGER tokensStay BEFORE DELETE ON actionTokens BEGIN SELECT RAISE(ABORT, 'the tokens of an action are never removed'); END;
  CREATE TRIGGER eventKept BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END;
  -- Only the oldest events go, below the floor that was moved first.
  CREATE TRIGGER eventStays BEFORE DELETE ON event
    WHEN OLD.seq >= (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'firstSeq')
    BEGIN SELECT RAISE(ABORT, 'an event is removed only below the floor'); END;
  `,
];
