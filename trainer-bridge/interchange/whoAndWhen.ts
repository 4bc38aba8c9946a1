// Who&When: failed runs of agent teams with the gold agent and place of the decisive mistake. Each entry of the history is an
// action of its agent, save what the human asked; the gold labels go into the trajectory's meta and never into scores.
import type { Message } from "../../src/protocol/model.ts";
import { closingOf } from "./chat.ts";
import { contentId, type Draft, importedOutcome, type Problem, type Turn } from "./draft.ts";
import { asName, asText, fields, items, type Json, plain, words } from "./loose.ts";

/** What a chat of one assistant has for roles; a team's history has names, or roles of its own. */
const chatRoles = ["system", "developer", "user", "assistant", "tool", "function"];

/** True for an object whose history is a list of entries of a team: with a name, or with an agent for a role. */
export function isWhoAndWhen(value: Readonly<Record<string, unknown>>): boolean {
  const entries = (items(value.history) ?? []).map(fields);
  return entries.some((entry) => {
    const role = words(entry?.role);
    const isSpoken = entry?.content !== undefined && role !== undefined;
    return isSpoken && (words(entry.name) !== undefined || !chatRoles.includes(role));
  });
}

/** `Orchestrator (-> WebSurfer)` is the Orchestrator in one of its modes. */
const modeBehind = /\s*\([^()]*\)\s*$/;

/** The gold labels, by their names in the file. */
const gold = { agent: "mistake_agent", step: "mistake_step", reason: "mistake_reason", type: "mistake_type" };

/** The trajectory of one file. */
export function whoAndWhenDraft(file: Readonly<Record<string, unknown>>, report: (problem: Problem) => void): Draft {
  const prompts = fields(file.system_prompt) ?? {};
  const turns: Turn[] = [];
  const placeOf = new Map<number, number>();
  let observation: Message[] = [];
  let asked: string | undefined;
  for (const [place, raw] of (items(file.history) ?? []).entries()) {
    const entry = fields(raw);
    if (entry === undefined) {
      report({ where: `history ${place}`, message: "This entry is not an object; it was left out." });
      continue;
    }
    const content = asText(entry.content);
    const role = asName(words(entry.name) ?? entry.role, "unknown");
    if (role === "human") {
      asked ??= content;
      observation.push({ role: "user", content, name: role });
      continue;
    }
    const agent = asName(role.replace(modeBehind, ""), role);
    const prompt = turns.some((turn) => turn.agent === agent) ? undefined : words(prompts[agent]);
    if (prompt !== undefined) observation.unshift({ role: "system", content: prompt });
    placeOf.set(place, turns.length);
    turns.push({ agent, role, observation, text: content, thinking: null, toolCalls: [], score: null });
    observation = [];
  }
  if (turns.length === 0)
    report({ where: "history", message: "No agent wrote here, so the trajectory has no action." });
  const problem = words(file.question) ?? asked ?? turns[0]?.text ?? "";
  const isCorrect = file.is_correct ?? file.is_corrected;
  return {
    task: {
      id: asName(file.question_ID, contentId(problem)),
      setName: "who-and-when",
      problem,
      answer: file.ground_truth === undefined || file.ground_truth === null ? null : asText(file.ground_truth),
      meta: file.level === undefined ? {} : { level: plain(file.level) },
    },
    sampleIndex: 0,
    outcome: importedOutcome(typeof isCorrect === "boolean" ? Number(isCorrect) : null),
    turns,
    meta: {
      format: "who-and-when",
      observation: "since the action before",
      ...closingOf(observation),
      ...labels(file, turns, placeOf, report),
    },
  };
}

/** The gold labels as they stand, and the action they point at. */
function labels(
  file: Readonly<Record<string, unknown>>,
  turns: readonly Turn[],
  placeOf: ReadonlyMap<number, number>,
  report: (problem: Problem) => void,
): Record<string, Json> {
  const found = Object.entries(gold).filter(([, name]) => file[name] !== undefined);
  if (found.length === 0) {
    report({ where: "labels", message: "There is no gold label of the mistake; the trajectory was imported without." });
    return {};
  }
  const step = Number(asText(file[gold.step]).trim() || "none");
  const index = placeOf.get(step) ?? null;
  const agent = asText(file[gold.agent]);
  const spoken = index === null ? undefined : turns[index]?.agent;
  if (spoken === undefined)
    report({
      where: gold.step,
      message: `The gold label points at entry ${asName(file[gold.step], "?")}, which is no action; it was kept as it is.`,
    });
  else if (spoken !== agent.replace(modeBehind, "").trim()) {
    report({
      where: gold.agent,
      message: `The gold label names ${asName(agent, "nobody")}, but entry ${step} is by ${spoken}; it was kept as it is.`,
    });
  }
  const more = file.labels === undefined ? {} : { labels: plain(file.labels) };
  return {
    gold: { ...Object.fromEntries(found.map(([word, name]) => [word, plain(file[name])])), actionIndex: index },
    ...more,
  };
}
