// A page of a list, continued by the key of its last row.
import { StoreError } from "./storeError.ts";

/** Which page: `cursor` is the `next` of the page before, null for the first. */
export interface PageAsked {
  readonly cursor: string | null;
  readonly limit: number;
}

/** A page; `next` is null at the end. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** The row number a cursor stands for; `first` where there is no cursor. */
export function keyOf(page: PageAsked, first: number): number {
  if (page.cursor === null) return first;
  const key = Number(page.cursor);
  if (!Number.isSafeInteger(key))
    throw new StoreError(
      "other",
      "The cursor of the page is not one that this store gave. Ask for the first page again.",
    );
  return key;
}

/** The page of `limit` items out of up to `limit + 1` rows that were read to see whether more follow. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  key: (row: Row) => number,
  item: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? String(key(last)) : null };
}
