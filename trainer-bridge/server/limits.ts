// The limits of a connection, each a named number, and the token bucket that holds the rate.
import { MAX_MESSAGE_BYTES } from "../../src/protocol/bridge.ts";

/** What a server grants; a test may tighten them. */
export interface Limits {
  /** Connections at once. */
  readonly connections: number;
  /** Requests of one connection that are not answered, or whose answer has not left this machine. */
  readonly inFlight: number;
  /** Messages a connection may send in one go, and per second after that. */
  readonly messagesPerSecond: number;
  /** Messages that are no JSON-RPC at all before the connection is closed. */
  readonly malformed: number;
  /** Longest message, bytes. */
  readonly messageBytes: number;
  /** A longer message than this is not even read: the socket closes with 1009. */
  readonly frameBytes: number;
  /** Bytes waiting for a client before nothing more is read from it. */
  readonly backlogBytes: number;
  /** Events that may happen while a client does not take the ones before, and how long it may take nothing. */
  readonly backlogEvents: number;
  readonly stalledMs: number;
  /** Time between two pushes of events. */
  readonly pushMs: number;
  /** Time a client has for `initialize`. */
  readonly initializeMs: number;
  /** Time between two pings; a client that answers none of them is gone. */
  readonly pingMs: number;
  /** Longest import, bytes; imports of one connection at once; idle time after which one is dropped. */
  readonly uploadBytes: number;
  readonly uploads: number;
  readonly uploadIdleMs: number;
}

/** The limits of a bridge in use. */
export const defaultLimits: Limits = {
  connections: 32,
  inFlight: 64,
  messagesPerSecond: 4_000,
  malformed: 50,
  messageBytes: MAX_MESSAGE_BYTES,
  frameBytes: 4 * MAX_MESSAGE_BYTES,
  backlogBytes: 4 * 1024 * 1024,
  backlogEvents: 5_000,
  stalledMs: 1_000,
  pushMs: 66,
  initializeMs: 5_000,
  pingMs: 30_000,
  uploadBytes: 512 * 1024 * 1024,
  uploads: 4,
  uploadIdleMs: 10 * 60_000,
};

/** Lets through up to `perSecond` at once and `perSecond` a second after that; `now` in milliseconds. */
export function tokenBucket(perSecond: number, now: () => number): { take(): boolean; waitMs(): number } {
  let tokens = perSecond;
  let at = now();
  return {
    take() {
      const moment = now();
      tokens = Math.min(perSecond, tokens + ((moment - at) / 1000) * perSecond);
      at = moment;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    waitMs: () => Math.max(1, Math.ceil(((1 - tokens) / perSecond) * 1000)),
  };
}
