// Each failure of a room as the error a client gets, and the words it keeps.
import { expect, test } from "vitest";
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import { INVALID_PARAMS, ProtocolError } from "../../src/protocol/rpc.ts";
import { StoreError } from "../store/storeError.ts";
import { EngineError } from "../training/engineClient.ts";
import { TrainingError } from "../training/trainingError.ts";
import { TaskError } from "../workflow/tasks/taskSet.ts";
import { WorkflowError } from "../workflow/workflow.ts";
import { asWireError } from "./failure.ts";

const words = "What happened; what is safe; what to do.";

test.each<[string, Error, number]>([
  ["a full disk", new StoreError("full", words), BridgeErrorCode.storeFailed],
  ["a damaged store", new StoreError("corrupt", words), BridgeErrorCode.storeFailed],
  ["a record that is not there", new StoreError("notFound", words), BridgeErrorCode.notFound],
  ["an engine that cannot be reached", new EngineError("unreachable", words), BridgeErrorCode.unavailable],
  ["training without an engine", new TrainingError("unavailable", words), BridgeErrorCode.unavailable],
  ["a state that does not allow it", new TrainingError("refused", words), BridgeErrorCode.refused],
  ["a task set that is not there", new TaskError(words), INVALID_PARAMS],
  ["a workflow that is not there", new WorkflowError(words), INVALID_PARAMS],
  ["an error that has its number", new ProtocolError(-32006, words), -32006],
])("%s crosses with its number and its words", (_name, error, code) => {
  expect(asWireError(error)).toMatchObject({ name: "ProtocolError", code, message: words });
});

test("a conflict carries what the client believed beside what is in effect", () => {
  expect(asWireError(new StoreError("conflict", words), "s-1")).toMatchObject({
    code: BridgeErrorCode.conflict,
    data: { current: null, basedOn: "s-1" },
  });
});

test("a bug stays what it is, for the log", () => {
  const bug = new TypeError("x is undefined");
  expect(asWireError(bug)).toBe(bug);
});
