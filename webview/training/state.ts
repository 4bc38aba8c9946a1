// The Training page as one value, and the one pure function that moves it on.
import type { BridgeStatus } from "../../src/protocol/bridge.ts";
import type { Iteration, Run } from "../../src/protocol/model.ts";
import type { Connection } from "../../src/protocol/webview.ts";

/** Everything the Training page shows. */
export interface State {
  readonly phase: "loading" | "ready" | "failed";
  readonly error: string | null;
  readonly notice: string | null;
  readonly connection: Connection;
  readonly status: BridgeStatus | null;
  readonly runs: readonly Run[];
  readonly runId: string | null;
  /** Iterations of the chosen run, by index. */
  readonly iterations: readonly Iteration[];
  /** Iteration under the pointer or the keyboard, the same on every chart. */
  readonly pointed: number | null;
}

/** Everything that can happen to the page. */
export type Message =
  | {
      readonly type: "loaded";
      readonly connection: Connection;
      readonly status: BridgeStatus | null;
      readonly runs: readonly Run[];
      readonly runId: string | null;
      readonly iterations: readonly Iteration[];
    }
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "notice"; readonly text: string | null }
  | { readonly type: "connection"; readonly connection: Connection }
  | { readonly type: "status"; readonly status: BridgeStatus }
  | { readonly type: "run"; readonly run: Run }
  | { readonly type: "chosen"; readonly runId: string; readonly iterations: readonly Iteration[] }
  | { readonly type: "iteration"; readonly iteration: Iteration }
  | { readonly type: "point"; readonly index: number | null };

/** The page before its host has said anything. */
export const initialState: State = {
  phase: "loading",
  error: null,
  notice: null,
  connection: { state: "connecting", message: "", queuedOverrides: 0, canOverride: false },
  status: null,
  runs: [],
  runId: null,
  iterations: [],
  pointed: null,
};

/** The state after a message. */
export function reduce(state: State, message: Message): State {
  switch (message.type) {
    case "loaded": {
      const { type: _, iterations, ...facts } = message;
      return { ...state, ...facts, iterations: inOrder(iterations), phase: "ready", error: null };
    }
    case "failed":
      return { ...state, phase: "failed", error: message.error };
    case "notice":
      return { ...state, notice: message.text };
    case "connection":
      return { ...state, connection: message.connection };
    case "status":
      return { ...state, status: message.status };
    case "run": {
      const isKnown = state.runs.some((run) => run.id === message.run.id);
      const runs = isKnown
        ? state.runs.map((run) => (run.id === message.run.id ? message.run : run))
        : [message.run, ...state.runs];
      return { ...state, runs };
    }
    case "chosen":
      return { ...state, runId: message.runId, iterations: inOrder(message.iterations), pointed: null };
    case "iteration": {
      const { iteration } = message;
      if (iteration.runId !== state.runId) return state;
      const others = state.iterations.filter((other) => other.id !== iteration.id);
      return { ...state, iterations: inOrder([...others, iteration]) };
    }
    case "point":
      return state.pointed === message.index ? state : { ...state, pointed: message.index };
  }
}

function inOrder(iterations: readonly Iteration[]): Iteration[] {
  return iterations.toSorted((a, b) => a.index - b.index);
}

/** Whether an iteration is over, one way or another. */
export function isOver({ state }: Iteration): boolean {
  return state === "done" || state === "cancelled" || state === "failed";
}

/** The chosen run's iteration that is under way or paused; null where none is. */
export function activeIteration(state: State): Iteration | null {
  return state.iterations.findLast((iteration) => !isOver(iteration)) ?? null;
}

/** What an iteration is doing, as a person says it. */
export function iterationText(iteration: Iteration): string {
  const doing: Readonly<Record<Iteration["state"], string>> = {
    queued: "Waiting to start",
    sampling: "Rolling out",
    coaching: "The coach is scoring",
    reviewing: "Waiting for your review",
    training: "Updating the policies",
    evaluating: "Evaluating on held-out tasks",
    done: "Done",
    paused: "Paused",
    cancelled: "Cancelled",
    failed: "Failed",
  };
  if (iteration.state !== "paused" || iteration.resumeState === null) return doing[iteration.state];
  return `Paused while ${(doing[iteration.resumeState] ?? "").toLowerCase()}`;
}
