// One action as the wire carries it: long fields cut, each with its full length, and parts of them on request.
import { type ActionView, BridgeErrorCode } from "../../src/protocol/bridge.ts";
import type { Action, Message, Output, Score, ToolCall } from "../../src/protocol/model.ts";
import { ProtocolError } from "../../src/protocol/rpc.ts";
import { fitScore, safeCut, sizeOf } from "./fit.ts";

/** Characters of one field at first; halved until the whole view fits. */
const FIELD_LIMIT = 24_000;
/** Most bytes of one view, so that one always fits in a message. */
export const VIEW_BUDGET_BYTES = 192 * 1024;
/** Entries of one list (messages, tool calls, outputs, files, scores) at first. */
const LIST_LIMIT = 400;

/** The action with its score records, cut to fit in one message. */
export function actionView(
  action: Action,
  scores: readonly Score[],
  blob: (sha256: string) => string | null = () => null,
): ActionView {
  const whole = wholeOutputs(action, blob);
  for (let fieldLimit = FIELD_LIMIT, listLimit = LIST_LIMIT; ; fieldLimit /= 2, listLimit /= 2) {
    const view = cutView(whole, scores, Math.max(64, Math.floor(fieldLimit)), Math.max(4, Math.floor(listLimit)));
    if (sizeOf(view) <= VIEW_BUDGET_BYTES || fieldLimit < 64) return view;
  }
}

function cutView(action: Action, scores: readonly Score[], fieldLimit: number, listLimit: number): ActionView {
  const cut: Record<string, number> = {};
  const text = (field: string, value: string, limit = fieldLimit): string => {
    if (value.length <= limit) return value;
    cut[field] = value.length;
    return value.slice(0, safeCut(value, limit));
  };
  const list = <T>(field: string, items: readonly T[], full: () => string): T[] => {
    if (items.length <= listLimit) return [...items];
    cut[field] = full().length;
    return items.slice(0, listLimit);
  };
  const observation = list("observation", action.observation, () => observationText(action.observation)).map(
    (message, index) => ({ ...message, content: text(`observation/${index}/content`, message.content) }),
  );
  const toolCalls = list("toolCalls", action.toolCalls, () => JSON.stringify(action.toolCalls)).map((call, index) => {
    const at = `toolCalls/${index}`;
    return {
      ...call,
      input: text(`${at}/input`, call.input),
      message: call.message === null ? null : text(`${at}/message`, call.message),
      stdout: text(`${at}/stdout`, call.stdout),
      stderr: text(`${at}/stderr`, call.stderr),
      outputs: list(`${at}/outputs`, call.outputs, () => JSON.stringify(call.outputs)).map((output, place) =>
        output.text === null ? output : { ...output, text: text(`${at}/outputs/${place}/text`, output.text) },
      ),
      filesBefore: list(`${at}/filesBefore`, call.filesBefore, () => JSON.stringify(call.filesBefore)),
      filesAfter: list(`${at}/filesAfter`, call.filesAfter, () => JSON.stringify(call.filesAfter)),
    };
  });
  // The newest records decide which score is in effect, so they are the ones that are kept.
  const shown = scores
    .slice(-Math.max(64, listLimit))
    .map((score) => fitScore(score, Math.max(500, Math.floor(fieldLimit / 3))));
  if (shown.length < scores.length || shown.some((score, index) => score !== scores.at(index - shown.length))) {
    cut.scores = JSON.stringify(scores).length;
  }
  return {
    action: {
      ...action,
      dependsOn: list("dependsOn", action.dependsOn, () => JSON.stringify(action.dependsOn)),
      observation,
      text: text("text", action.text),
      thinking: action.thinking === null ? null : text("thinking", action.thinking),
      toolCalls,
    },
    cut,
    scores: shown,
  };
}

/** The action with outputs that are kept as blobs whole again, so that what is shown is the beginning of the text. */
function wholeOutputs(action: Action, blob: (sha256: string) => string | null): Action {
  if (action.toolCalls.every((call) => call.stdoutBlob === null && call.stderrBlob === null)) return action;
  const toolCalls = action.toolCalls.map((call) => ({
    ...call,
    stdout: call.stdoutBlob === null ? call.stdout : (blob(call.stdoutBlob) ?? call.stdout),
    stderr: call.stderrBlob === null ? call.stderr : (blob(call.stderrBlob) ?? call.stderr),
  }));
  return { ...action, toolCalls };
}

/** The messages an agent saw as one readable text. */
export function observationText(messages: readonly Message[]): string {
  return messages
    .map((message) => `[${message.role}${message.name === undefined ? "" : ` ${message.name}`}]\n${message.content}`)
    .join("\n\n");
}

/** The full text of one field by its name in `ActionView.cut`; outputs kept as blobs are read from `blob`. */
export function fieldText(
  action: Action,
  scores: readonly Score[],
  field: string,
  blob: (sha256: string) => string | null,
): string {
  const [head = "", index, name, place, leaf] = field.split("/");
  const found = ((): string | null | undefined => {
    switch (head) {
      case "text":
      case "thinking":
        return index === undefined ? action[head] : undefined;
      case "dependsOn":
        return JSON.stringify(action.dependsOn);
      case "scores":
        return JSON.stringify(scores);
      case "observation":
        if (index === undefined) return observationText(action.observation);
        return name === "content" ? entry(action.observation, index)?.content : undefined;
      case "toolCalls": {
        if (index === undefined) return JSON.stringify(action.toolCalls);
        const call = entry(action.toolCalls, index);
        return call === undefined ? undefined : callText(call, name, place, leaf, blob);
      }
      default:
        return undefined;
    }
  })();
  if (found === undefined) {
    throw new ProtocolError(
      BridgeErrorCode.notFound,
      `Action ${action.id} has no field "${field}". Fields are named as in \`cut\`: text, thinking, observation, observation/0/content, toolCalls/0/stdout.`,
    );
  }
  return found ?? "";
}

function callText(
  call: ToolCall,
  name: string | undefined,
  place: string | undefined,
  leaf: string | undefined,
  blob: (sha256: string) => string | null,
): string | null | undefined {
  switch (name) {
    case "input":
    case "message":
      return call[name];
    case "stdout":
      return call.stdoutBlob === null ? call.stdout : (blob(call.stdoutBlob) ?? call.stdout);
    case "stderr":
      return call.stderrBlob === null ? call.stderr : (blob(call.stderrBlob) ?? call.stderr);
    case "filesBefore":
    case "filesAfter":
      return JSON.stringify(call[name]);
    case "outputs": {
      if (place === undefined) return JSON.stringify(call.outputs);
      const output: Output | undefined = entry(call.outputs, place);
      if (output === undefined || leaf !== "text") return undefined;
      return output.text ?? (output.blob === null ? "" : blob(output.blob));
    }
    default:
      return undefined;
  }
}

function entry<T>(items: readonly T[], index: string): T | undefined {
  return /^\d{1,9}$/.test(index) ? items[Number(index)] : undefined;
}
