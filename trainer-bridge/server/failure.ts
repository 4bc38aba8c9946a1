// Failures of the rooms as errors of the bridge wire: what happened, what is safe, what to do.
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import type { Score } from "../../src/protocol/model.ts";
import { ProtocolError } from "../../src/protocol/rpc.ts";
import { StoreError } from "../store/storeError.ts";

const codeOf = {
  full: BridgeErrorCode.storeFailed,
  newer: BridgeErrorCode.storeFailed,
  locked: BridgeErrorCode.storeFailed,
  corrupt: BridgeErrorCode.storeFailed,
  other: BridgeErrorCode.storeFailed,
  notFound: BridgeErrorCode.notFound,
  conflict: BridgeErrorCode.conflict,
} as const satisfies Record<StoreError["code"], number>;

/** The error as it crosses the wire; `basedOn` is what the client believed, for a conflict. An unknown error is given back as it is. */
export function asWireError(error: unknown, basedOn: string | null = null): unknown {
  if (error instanceof ProtocolError) return error;
  if (error instanceof StoreError) {
    if (error.code === "conflict")
      return new ProtocolError(codeOf.conflict, error.message, { current: currentOf(error), basedOn });
    return new ProtocolError(codeOf[error.code], error.message);
  }
  const boundary = boundaryOf(error);
  if (boundary !== null && error instanceof Error) return new ProtocolError(boundary, error.message);
  return error;
}

function currentOf(error: StoreError): Score | null {
  return error.current ?? null;
}

/** Errors of training name their wire error by a `code` of their own: refused, notFound, unavailable. */
function boundaryOf(error: unknown): number | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  switch (error.code) {
    case "refused":
      return BridgeErrorCode.refused;
    case "notFound":
      return BridgeErrorCode.notFound;
    case "unavailable":
    case "engine":
    case "policy":
    case "coach":
      return BridgeErrorCode.unavailable;
    default:
      return null;
  }
}
