// How a trajectory ended, in words and with an icon.
import type { Trajectory } from "../../src/protocol/model.ts";

/** An outcome as it is shown; `tone` picks its colour, the icon and the words say the same. */
export interface OutcomeText {
  readonly icon: string;
  readonly text: string;
  readonly tone: "good" | "bad" | "plain";
}

/** The outcome of a trajectory. Success is an outcome reward of 0.5 or more. */
export function outcomeText({ outcome }: Trajectory): OutcomeText {
  switch (outcome.kind) {
    case "running":
      return { icon: "loading", text: "Running", tone: "plain" };
    case "failed":
      return {
        icon: "error",
        text: outcome.boundary === null ? "Failed" : `Failed at the ${outcome.boundary}`,
        tone: "bad",
      };
    case "cancelled":
      return { icon: "circle-slash", text: "Cancelled", tone: "plain" };
    case "completed":
    case "unknown":
      if (outcome.reward === null) {
        return {
          icon: "question",
          text: outcome.kind === "unknown" ? "Outcome not recorded" : "Completed, not checked",
          tone: "plain",
        };
      }
      return outcome.reward >= 0.5
        ? { icon: "pass-filled", text: "Success", tone: "good" }
        : { icon: "error", text: "No success", tone: "bad" };
  }
}
