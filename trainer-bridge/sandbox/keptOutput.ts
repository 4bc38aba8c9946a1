// Keeps the head and the tail of a stream of any length in bounded memory.
import { KEPT_BYTES } from "./limits.ts";

/** Collects bytes; `text` is all of them, or the head and tail with a line between that says how many were left out. */
export interface KeptOutput {
  readonly total: number;
  add(chunk: Buffer): void;
  text(): string;
}

/** An empty collection that keeps at most `limit` bytes. */
export function keepOutput(limit = KEPT_BYTES): KeptOutput {
  const head: Buffer[] = [];
  let tail: Buffer[] = [];
  let headLength = 0;
  let tailLength = 0;
  let total = 0;
  const half = Math.floor(limit / 2);
  return {
    get total() {
      return total;
    },
    add: (chunk) => {
      total += chunk.length;
      const toHead = Math.min(chunk.length, half - headLength);
      if (toHead > 0) {
        head.push(chunk.subarray(0, toHead));
        headLength += toHead;
      }
      if (toHead === chunk.length) return;
      tail.push(chunk.subarray(toHead));
      tailLength += chunk.length - toHead;
      if (tailLength > 4 * half) {
        const kept = Buffer.concat(tail);
        tail = [Buffer.from(kept.subarray(kept.length - half))];
        tailLength = half;
      }
    },
    text: () => {
      const end = Buffer.concat(tail);
      const kept = end.subarray(Math.max(0, end.length - half));
      const leftOut = total - headLength - kept.length;
      if (leftOut === 0) return Buffer.concat([...head, kept]).toString("utf8");
      return `${Buffer.concat(head).toString("utf8")}\n… ${leftOut} bytes left out …\n${kept.toString("utf8")}`;
    },
  };
}
