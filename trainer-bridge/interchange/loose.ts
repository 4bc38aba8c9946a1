// Values of a file nobody checked: looked at without trusting their types, copied without following them too deep.

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Objects and lists deeper than this in what is copied are cut. */
const DEEPEST = 12;
const CUT = "[nested too deep, left out]";

/** The fields of an object; undefined for everything else. */
export function fields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** The items of a list; undefined for everything else. */
export function items(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A text that is not empty; undefined for everything else. */
export function words(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A number that can be counted with; undefined for everything else. */
export function finite(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A copy that JSON can hold, cut where it is nested too deep. */
export function plain(value: unknown, depth = 0): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "object") return null;
  if (depth >= DEEPEST) return CUT;
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
}

/** What stands in a field that should hold text: the text itself, else the value as JSON; nothing for null. */
export function asText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? "" : JSON.stringify(plain(value));
}

/** A name fit for a list: one line, no control characters, at most 100 characters. */
export function asName(value: unknown, otherwise: string): string {
  const name = asText(value)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, 100);
  return name === "" ? otherwise : name;
}
