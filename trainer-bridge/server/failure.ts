// Failures of the rooms as errors of the bridge wire: what happened, what is safe, what to do.
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import { INVALID_PARAMS, ProtocolError } from "../../src/protocol/rpc.ts";
import { StoreError } from "../store/storeError.ts";
import { EngineError } from "../training/engineClient.ts";
import { TrainingError } from "../training/trainingError.ts";

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
      return new ProtocolError(codeOf.conflict, error.message, { current: error.current, basedOn });
    return new ProtocolError(codeOf[error.code], error.message);
  }
  if (error instanceof TrainingError) return new ProtocolError(BridgeErrorCode[error.code], error.message);
  if (error instanceof EngineError) return new ProtocolError(BridgeErrorCode.unavailable, error.message);
  if (error instanceof Error && wrongName.has(error.name)) return new ProtocolError(INVALID_PARAMS, error.message);
  return error;
}

/** Errors of the rooms behind training that say: the client named something that is not there or cannot be read. */
const wrongName = new Set(["TaskError", "WorkflowError"]);
