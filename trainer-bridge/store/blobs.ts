// Large bytes beside the database, one file each, named by their SHA-256: `blobs/ab/abcd…`.
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { Database } from "./database.ts";
import { StoreError, storeErrorOf } from "./storeError.ts";

/** Files of bytes by their SHA-256 in hex. */
export interface Blobs {
  /** Writes the file, on disk when this returns; the row that names it is written by `record` in the caller's transaction. */
  write(bytes: Uint8Array): string;
  /** Names a written file in the database. Call it inside a transaction. */
  record(sha256: string, mime: string, sizeBytes: number): void;
  /** The whole content, checked against its name; null where there is no such blob. */
  read(sha256: string): { bytes: Buffer; mime: string } | null;
  /** Bytes from `offset`, at most `length`; `total` is the size of the whole. */
  readPart(sha256: string, offset: number, length: number): { bytes: Buffer; total: number; mime: string } | null;
}

/** The blobs beside a database. Files half written by a process that died are cleared away. */
export function openBlobs(database: Database): Blobs {
  const folder = path.join(database.dir, "blobs");
  const halfWritten = path.join(folder, "new");
  rmSync(halfWritten, { recursive: true, force: true });
  mkdirSync(halfWritten, { recursive: true });
  const fileOf = (sha256: string) => path.join(folder, sha256.slice(0, 2), sha256);
  const rowOf = (sha256: string) =>
    database.get<{ mime: string; sizeBytes: number }>("SELECT mime, sizeBytes FROM blob WHERE sha256 = ?", sha256);

  const readPart = (sha256: string, offset: number, length: number) => {
    const row = rowOf(sha256);
    if (row === undefined) return null;
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, row.sizeBytes - offset)));
    let file: number;
    try {
      file = openSync(fileOf(sha256), "r");
    } catch (cause) {
      throw new StoreError(
        "corrupt",
        `The file of blob ${sha256} is missing or cannot be opened. The rest of the store can be read. Put the blobs folder back from a copy.`,
        { cause },
      );
    }
    try {
      if (readSync(file, bytes, 0, bytes.length, offset) !== bytes.length) throw damaged(sha256);
    } finally {
      closeSync(file);
    }
    return { bytes, total: row.sizeBytes, mime: row.mime };
  };

  return {
    write: (bytes) => {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const target = fileOf(sha256);
      if (rowOf(sha256) !== undefined && existsSync(target) && statSync(target).size === bytes.length) return sha256;
      const temporary = path.join(halfWritten, randomUUID());
      try {
        mkdirSync(path.dirname(target), { recursive: true });
        writeDurably(temporary, bytes);
        renameSync(temporary, target);
        syncFolder(path.dirname(target));
        syncFolder(folder);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw storeErrorOf(error, database.dir);
      }
      return sha256;
    },
    record: (sha256, mime, sizeBytes) => {
      database.run(
        "INSERT INTO blob (sha256, mime, sizeBytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        sha256,
        mime,
        sizeBytes,
      );
    },
    read: (sha256) => {
      const part = readPart(sha256, 0, Number.MAX_SAFE_INTEGER);
      if (part === null) return null;
      if (createHash("sha256").update(part.bytes).digest("hex") !== sha256) throw damaged(sha256);
      return { bytes: part.bytes, mime: part.mime };
    },
    readPart,
  };
}

function damaged(sha256: string): StoreError {
  return new StoreError(
    "corrupt",
    `The file of blob ${sha256} is damaged. The rest of the store can be read. Put the blobs folder back from a copy.`,
  );
}

function writeDurably(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, "wx");
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** A rename is on disk only once its folder is; Windows has no such call and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
