// A trajectory as plain Markdown with headings, for screen readers and for search: no colour, nothing left out unsaid.

import type { ActionView } from "./protocol/bridge.ts";
import { effectiveScore } from "./protocol/effective.ts";
import type { ToolCall, Trajectory } from "./protocol/model.ts";
import { agentTitle } from "./protocol/title.ts";

/** The document; `missing` is the number of actions that were left out at its end. */
export function transcript(trajectory: Trajectory, views: readonly ActionView[], missing: number): string {
  const { title, task, outcome, agents, startedAt } = trajectory;
  const parts = [
    `# ${oneLine(title)}`,
    `Outcome: ${outcome.kind}${outcome.reward === null ? "" : `, reward ${outcome.reward}`}${outcome.message === null ? "" : `: ${outcome.message}`}`,
    `Agents: ${agents.map(agentTitle).join(", ")}. Started ${startedAt}. ${trajectory.actionCount} actions.`,
    "## Task",
    task.problem,
    ...(task.answer === null ? [] : [`Expected answer: ${task.answer}`]),
    ...views.map(actionPart),
    ...(missing > 0
      ? [`## ${missing} further actions`, "This document ends here; open them in the Trajectory view."]
      : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

function actionPart({ action, cut, scores }: ActionView): string {
  const { effective, coach, override } = effectiveScore(scores);
  const value = effective?.value == null ? "no score" : `score ${effective.value}`;
  const change = override === null ? "" : ` (coach ${coach?.value ?? "none"}, changed by ${override.author})`;
  const cuts = Object.entries(cut).map(([field, length]) => `${field} has ${length} characters and is cut here.`);
  return [
    `## Action ${action.index + 1}, ${oneLine(agentTitle(action.agent))}, turn ${action.turn + 1}: ${value}${change}`,
    ...(action.isTruncated ? ["The policy was cut off by the length limit."] : []),
    ...(action.thinking === null ? [] : ["### Thinking", action.thinking]),
    "### Text",
    action.text === "" ? "(nothing)" : action.text,
    ...action.toolCalls.flatMap(toolPart),
    ...scores
      .filter(({ rationale }) => rationale !== "")
      .map(
        (score) =>
          `### ${score.source === "human" ? "Reason of" : "Coach"} ${oneLine(score.author)}: ${score.value ?? "no value"}\n\n${score.rationale}`,
      ),
    ...cuts,
  ].join("\n\n");
}

function toolPart(call: ToolCall): string[] {
  return [
    `### Tool ${oneLine(call.tool)}: ${call.status}${call.message === null ? "" : `, ${oneLine(call.message)}`}`,
    fenced(call.input, call.language ?? ""),
    ...(call.stdout === "" ? [] : ["#### Output", fenced(call.stdout)]),
    ...(call.stderr === "" ? [] : ["#### Errors", fenced(call.stderr)]),
    ...(call.filesAfter.length === 0
      ? []
      : [
          `#### Files\n\n${call.filesAfter.map(({ name, sizeBytes }) => `- ${oneLine(name)}, ${sizeBytes} bytes`).join("\n")}`,
        ]),
  ];
}

/** A fence longer than any in the text, so that the text cannot end it. */
function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language.replaceAll(/[^A-Za-z0-9+#-]/g, "")}\n${text}${text.endsWith("\n") ? "" : "\n"}${fence}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
