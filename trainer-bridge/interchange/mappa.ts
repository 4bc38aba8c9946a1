// MAPPA's own files: evaluation results with whole trajectories, and the debug log with the coach's words.
import type { Message } from "../../src/protocol/model.ts";
import {
  contentId,
  type Draft,
  type DraftCall,
  type DraftScore,
  importedOutcome,
  type Problem,
  type Turn,
} from "./draft.ts";
import { asName, asText, fields, finite, items, type Json, plain, words } from "./loose.ts";

type Fields = Readonly<Record<string, unknown>>;

/** True for `eval_results/global_steps*.json`. */
export function isMappaEvaluation(value: Fields): boolean {
  return items(value.metadata) !== undefined && ("aggregated_metrics" in value || "accuracy" in value);
}

/** True for `iter_*_traj_*.json` of the debug log. */
export function isMappaDebug(value: Fields): boolean {
  return items(value.agents)?.some((turn) => fields(turn)?.agent_output !== undefined) === true;
}

/** Every trajectory of an evaluation; the workers' lists are joined, and rollouts of the same prompt are numbered. */
export function mappaEvaluationDrafts(file: Fields, report: (problem: Problem) => void): Draft[] {
  const samples = new Map<string, number>();
  const drafts: Draft[] = [];
  for (const [worker, part] of (items(file.metadata) ?? []).entries()) {
    for (const [place, raw] of (items(part) ?? [part]).entries()) {
      const where = `worker ${worker}, trajectory ${place}`;
      const entry = fields(raw);
      if (entry === undefined || items(entry.trajectory) === undefined) {
        report({ where, message: "This is not a trajectory; it was left out." });
        continue;
      }
      const prompt = asText(entry.prompt);
      const sampleIndex = samples.get(prompt) ?? 0;
      samples.set(prompt, sampleIndex + 1);
      drafts.push(
        evaluationDraft(entry, prompt, sampleIndex, (problem) =>
          report({ where: `${where}, ${problem.where}`, message: problem.message }),
        ),
      );
    }
  }
  return drafts;
}

function evaluationDraft(
  entry: Fields,
  problem: string,
  sampleIndex: number,
  report: (problem: Problem) => void,
): Draft {
  const turns: Turn[] = [];
  // What one agent saw and did since its first action: the file's `agent_input` is not to be trusted behind that one.
  let context: Message[] = [];
  let contextOf: string | undefined;
  for (const [place, raw] of (items(entry.trajectory) ?? []).entries()) {
    const turn = fields(raw);
    if (turn === undefined) {
      report({ where: `turn ${place}`, message: "This is not an object; it was left out." });
      continue;
    }
    const agent = asName(turn.agent_name, "unknown");
    const metadata = fields(turn.metadata) ?? {};
    const isFirst = contextOf !== agent || metadata.action_index === 0;
    if (isFirst) context = [{ role: "user", content: asText(turn.agent_input) }];
    contextOf = agent;
    const text = asText(turn.agent_output);
    const observed = words(metadata.observation);
    const tools = Object.keys(fields(metadata.tools_used) ?? {});
    turns.push({
      agent,
      role: asName(turn.agent_role, agent),
      observation: context,
      text,
      thinking: null,
      toolCalls:
        observed === undefined && tools.length === 0 ? [] : [callOf(tools.join(", ") || "unknown", observed ?? null)],
      score: scoreOf(turn.agent_reward, "", (message) => report({ where: `turn ${place}`, message })),
    });
    context = [
      ...context,
      { role: "assistant", content: text },
      ...(observed === undefined ? [] : [{ role: "tool" as const, content: observed }]),
    ];
  }
  const reward = finite(entry.outcome_score);
  const outcome = importedOutcome(reward !== undefined && reward >= 0 && reward <= 1 ? reward : null);
  const error = words(entry.error);
  const kept = ["final_reward", "outcome_metrics", "workflow_time"].filter((name) => entry[name] !== undefined);
  return {
    task: {
      id: contentId(problem),
      setName: "mappa",
      problem,
      answer: words(asText(entry.label)) ?? null,
      meta: {},
    },
    sampleIndex,
    outcome: error === undefined ? outcome : { ...outcome, kind: "failed", message: error },
    turns,
    meta: {
      format: "mappa-evaluation",
      observation: "rebuilt from the agent's earlier actions",
      ...copied(entry, kept),
    },
  };
}

/** The trajectory of one debug file. Its texts were cut by the tool that wrote it. */
export function mappaDebugDraft(file: Fields, report: (problem: Problem) => void): Draft {
  const turns: Turn[] = [];
  for (const [place, raw] of (items(file.agents) ?? []).entries()) {
    const turn = fields(raw);
    if (turn === undefined) {
      report({ where: `agent ${place}`, message: "This is not an object; it was left out." });
      continue;
    }
    const agent = asName(turn.agent_name, "unknown");
    const coach = fields(turn.coach);
    const observed = words(turn.tool_observation);
    turns.push({
      agent,
      role: asName(turn.agent_role, agent),
      observation: [{ role: "user", content: asText(turn.agent_input) }],
      text: asText(turn.agent_output),
      thinking: null,
      toolCalls: observed === undefined ? [] : [callOf("unknown", observed)],
      score:
        coach === undefined
          ? null
          : scoreOf(coach.score, asText(coach.response), (message) => report({ where: `agent ${place}`, message })),
    });
  }
  const time = Date.parse(asText(file.timestamp));
  const problem = turns[0]?.observation[0]?.content ?? "";
  return {
    task: { id: contentId(problem), setName: "mappa", problem, answer: null, meta: {} },
    sampleIndex: 0,
    outcome: importedOutcome(null),
    turns,
    meta: {
      format: "mappa-debug",
      observation: "as logged, cut at 20,000 characters",
      ...copied(
        file,
        ["iteration", "trajectory_id"].filter((name) => file[name] !== undefined),
      ),
    },
    startedAt: Number.isNaN(time) ? undefined : new Date(time).toISOString(),
  };
}

const callOf = (tool: string, output: string | null): DraftCall => ({
  id: undefined,
  tool,
  language: null,
  input: "",
  output,
});

/** The coach's value as it stands; one that is no number from 0 to 10 is missing, never guessed. */
function scoreOf(value: unknown, rationale: string, report: (message: string) => void): DraftScore | null {
  if (value === undefined) return null;
  const number = finite(value);
  if (number !== undefined && number >= 0 && number <= 10) return { value: number, rationale, missingReason: null };
  report(`The coach's value ${asName(value, "null")} is not a number from 0 to 10; the score is missing.`);
  return { value: null, rationale, missingReason: "The file holds no value from 0 to 10." };
}

function copied(from: Fields, names: readonly string[]): Record<string, Json> {
  return Object.fromEntries(names.map((name) => [name, plain(from[name])]));
}
