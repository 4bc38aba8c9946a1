// One SQLite file with its lock, its version, its transactions and its prepared statements.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { migrations } from "./migrations.ts";
import { StoreError, storeErrorOf } from "./storeError.ts";

/** An open database: rows in, rows out, one transaction at a time. */
export interface Database {
  readonly dir: string;
  /** Runs one statement and gives the row number it inserted, and how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): { rowId: number; changes: number };
  /** The first row. `Row` states what the statement selects; nothing checks it. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  /** Every row. */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** All of `work` or nothing of it, on disk when this returns. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Marks a SQLite file as Touchline's: "tchl". */
const APPLICATION_ID = 0x7463686c;
/** Memory SQLite may keep pages in. */
const CACHE_KIB = 24_000;
/** A write-ahead log of this many pages of 4 KiB is copied back while writing; sooner when nothing is written. */
const CHECKPOINT_PAGES = 6000;
const IDLE_MS = 250;

/** Opens or makes `dir/touchline.sqlite`; `maxPages` is the most 4 KiB pages it may grow to. Throws a StoreError that names the remedy. */
export function openDatabase(dir: string, maxPages?: number): Database {
  let lock: DatabaseSync | undefined;
  let sqlite: DatabaseSync | undefined;
  try {
    mkdirSync(dir, { recursive: true });
    lock = holdLock(dir);
    sqlite = new DatabaseSync(path.join(dir, "touchline.sqlite"), { timeout: 2000 });
    prepareFile(sqlite, dir, maxPages);
  } catch (error) {
    sqlite?.close();
    lock?.close();
    throw storeErrorOf(error, dir);
  }
  return databaseOver(sqlite, lock, dir);
}

/** The lock is SQLite's own on a file beside the store: the system frees it when the process dies, however it dies. */
function holdLock(dir: string): DatabaseSync {
  const holder = path.join(dir, "touchline.pid");
  const lock = new DatabaseSync(path.join(dir, "touchline.lock"), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new StoreError(
      "locked",
      `The store in ${dir} is in use by another bridge${processIn(holder)}. Nothing was changed. Connect to that bridge, stop it, or choose another folder.`,
      { cause },
    );
  }
  writeFileSync(holder, `${process.pid}\n`);
  return lock;
}

function processIn(holder: string): string {
  try {
    return ` (process ${readFileSync(holder, "utf8").trim()})`;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function prepareFile(sqlite: DatabaseSync, dir: string, maxPages: number | undefined): void {
  const numberOf = (pragma: string) =>
    Number(Object.values(sqlite.prepare(`PRAGMA ${pragma}`).get() ?? { value: 0 })[0]);
  const version = numberOf("user_version");
  const owner = numberOf("application_id");
  if (owner !== APPLICATION_ID && (owner !== 0 || numberOf("page_count") > 0)) {
    throw new StoreError(
      "corrupt",
      `${dir}/touchline.sqlite is not a Touchline store. It was left as it is. Choose another folder.`,
    );
  }
  if (version > migrations.length) {
    throw new StoreError(
      "newer",
      `The store in ${dir} was made by a newer Touchline (store version ${version}; this one knows ${migrations.length}). It was left as it is. Update Touchline, or choose another folder.`,
    );
  }
  sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = 33554432; PRAGMA trusted_schema = OFF`);
  for (const [from, step] of migrations.entries()) {
    if (from < version) continue;
    sqlite.exec("BEGIN IMMEDIATE");
    try {
      sqlite.exec(`PRAGMA application_id = ${APPLICATION_ID}; ${step} ; PRAGMA user_version = ${from + 1}`);
      sqlite.exec("COMMIT");
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
      throw error;
    }
  }
  if (maxPages !== undefined) sqlite.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
}

function databaseOver(sqlite: DatabaseSync, lock: DatabaseSync, dir: string): Database {
  const statements = new Map<string, StatementSync>();
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  const statement = (sql: string): StatementSync => {
    let prepared = statements.get(sql);
    if (prepared === undefined) {
      prepared = sqlite.prepare(sql);
      statements.set(sql, prepared);
    }
    return prepared;
  };
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw storeErrorOf(error, dir);
    }
  };
  // Copying the log back while nothing is written keeps that pause out of the next acknowledgement.
  const copyLogWhenIdle = () => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      if (isClosed) return;
      try {
        sqlite.exec("PRAGMA wal_checkpoint(PASSIVE)");
      } catch (error) {
        // The log stays as it is; whoever writes next is told by their own transaction.
        if (!(storeErrorOf(error, dir) instanceof StoreError)) throw error;
      }
    }, IDLE_MS).unref();
  };

  return {
    dir,
    run: (sql, ...values) =>
      guarded(() => {
        const { lastInsertRowid, changes } = statement(sql).run(...values);
        return { rowId: Number(lastInsertRowid), changes: Number(changes) };
      }),
    get: <Row>(sql: string, ...values: SQLInputValue[]) =>
      guarded(() => statement(sql).get(...values) as Row | undefined),
    all: <Row>(sql: string, ...values: SQLInputValue[]) => guarded(() => statement(sql).all(...values) as Row[]),
    transaction: (work) =>
      guarded(() => {
        statement("BEGIN IMMEDIATE").run();
        try {
          const result = work();
          statement("COMMIT").run();
          copyLogWhenIdle();
          return result;
        } catch (error) {
          if (sqlite.isTransaction) statement("ROLLBACK").run();
          throw error;
        }
      }),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(idle);
      sqlite.close();
      rmSync(path.join(dir, "touchline.pid"), { force: true });
      lock.close();
    },
  };
}
