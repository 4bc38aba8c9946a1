// What the store throws: what happened, what is safe and what to do, with one code a caller can act on.
import type { Score } from "../../src/protocol/model.ts";

/** Why the store refused: disk full, a store of a newer version, held by another process, damaged, no such record, or a conflict. */
export type StoreErrorCode = "full" | "newer" | "locked" | "corrupt" | "notFound" | "conflict" | "other";

/** An error of the store. `current` is the score in effect where an override met a conflict; null everywhere else. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly current: Score | null;

  constructor(code: StoreErrorCode, message: string, options: { cause?: unknown; current?: Score | null } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.current = options.current ?? null;
  }
}

/** The error for an id that no record has. */
export function notFound(noun: string, id: string): StoreError {
  return new StoreError("notFound", `There is no ${noun} with the id ${id}.`);
}

/** Numbers of SQLite's primary result codes that ask for different remedies. */
const codes = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  constraint: 19,
  notADatabase: 26,
};

/** An error of SQLite or of the file system in the store's words; every other error is given back as it is. */
export function storeErrorOf(cause: unknown, dir: string): unknown {
  if (cause instanceof StoreError || !(cause instanceof Error)) return cause;
  const errcode = "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : null;
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (errcode === codes.full || code === "ENOSPC" || code === "EDQUOT") {
    return new StoreError(
      "full",
      `The disk under ${dir} is full, so the last change was not stored. Everything acknowledged before is safe and can be read. Free some space, then try again.`,
      { cause },
    );
  }
  if (errcode === codes.busy) {
    return new StoreError(
      "locked",
      `Another process is using the store in ${dir}. Nothing was changed. Stop it, then try again.`,
      { cause },
    );
  }
  if (errcode === codes.corrupt || errcode === codes.notADatabase) {
    return new StoreError(
      "corrupt",
      `The store in ${dir} is damaged: ${cause.message}. It was left as it is. Move the folder aside and start with an empty one, or put back a copy.`,
      { cause },
    );
  }
  if (errcode === codes.constraint) {
    return new StoreError(
      "conflict",
      `The record is already there or breaks a rule of the store: ${cause.message}. Nothing was changed.`,
      { cause },
    );
  }
  const isDisk =
    errcode === codes.ioError ||
    errcode === codes.readOnly ||
    errcode === codes.cantOpen ||
    /^E(IO|ROFS|ACCES|PERM)$/.test(code);
  if (isDisk) {
    return new StoreError(
      "other",
      `The store in ${dir} cannot be written: ${cause.message}. Everything acknowledged before is safe. Check the disk and the rights on that folder, then try again.`,
      { cause },
    );
  }
  return cause;
}
