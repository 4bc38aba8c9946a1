// Sizes, times and counts as a person reads them.

const counts = new Intl.NumberFormat("en-US");

/** A whole number with thousands separators. */
export function countText(value: number): string {
  return counts.format(value);
}

/** `1 action`, `2 actions`. */
export function pluralText(value: number, noun: string): string {
  return `${countText(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Bytes as B, KB or MB. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Milliseconds as ms, seconds or minutes. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A moment in the person's own time, to the minute. */
export function momentText(instant: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** A share as a whole percentage; a dash where there is none. */
export function percentText(share: number | null): string {
  return share === null ? "–" : `${Math.round(share * 100)}%`;
}
