// One rollout: the agents of a workflow act in order on one task, and every action is handed over with what it saw.
import type { Action, ActionTokens, Message, Outcome, Task, ToolCall } from "../../src/protocol/model.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { checkAnswer } from "../workflow/tasks/checkAnswer.ts";
import { fillTemplate, placeholders } from "../workflow/template.ts";
import type { AgentSpec, Workflow } from "../workflow/workflow.ts";
import { RolloutError } from "./rolloutError.ts";
import type { Policy, Sampled } from "./sample.ts";
import { codeBlocks } from "./textParts.ts";
import { toolText } from "./toolText.ts";

/** All that a rollout needs; it touches nothing else. */
export interface RolloutInput {
  readonly workflow: Workflow;
  readonly task: Task;
  /** Action ids are `<trajectoryId>.<index>`, tool call ids `<actionId>.<place>`. */
  readonly ids: { readonly runId: string; readonly trajectoryId: string };
  /** Agent → its policy: one version for the whole rollout. */
  readonly policies: Readonly<Record<string, Policy>>;
  readonly sandbox: Sandbox;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Called once an action, in order, before the next agent acts; what it throws ends the rollout and is thrown on. */
  onAction(action: Action, tokens: ActionTokens | null): void | Promise<void>;
  readonly now?: () => Date;
}

/** How the rollout ended; `outcome.answer` is the final agent's. */
export interface RolloutResult {
  readonly outcome: Outcome;
  readonly answer: string | null;
  readonly actionCount: number;
}

/** Runs the workflow on the task. A policy or tool that fails, or a cancellation, is the outcome; a bug is thrown. */
export async function runRollout(input: RolloutInput): Promise<RolloutResult> {
  const told = new Map<string, Told>();
  const progress = { actionCount: 0 };
  const ended = (outcome: Outcome): RolloutResult => ({
    outcome,
    answer: outcome.answer,
    actionCount: progress.actionCount,
  });
  try {
    for (const agent of input.workflow.agents) told.set(agent.name, await act(agent, input, told, progress));
  } catch (error) {
    if (input.signal.aborted && isCancellation(error, input.signal)) {
      return ended({
        kind: "cancelled",
        reward: null,
        answer: null,
        boundary: null,
        message: "The rollout was cancelled.",
      });
    }
    if (!(error instanceof RolloutError)) throw error;
    return ended({ kind: "failed", reward: null, answer: null, boundary: error.boundary, message: error.message });
  }
  const finalText = told.get(input.workflow.finalAgent)?.text ?? "";
  const hasAnswer = input.workflow.answer !== null;
  const { answer, reward } = hasAnswer ? checkAnswer(input.task, finalText) : { answer: null, reward: null };
  return ended({ kind: "completed", reward, answer, boundary: null, message: null });
}

/** An abort reaches here as the signal's reason, as Node's AbortError, or as the boundary that it interrupted. */
function isCancellation(error: unknown, signal: AbortSignal): boolean {
  return (
    error === signal.reason || error instanceof RolloutError || (error instanceof Error && error.name === "AbortError")
  );
}

/** What an agent leaves for those after it. */
interface Told {
  readonly text: string;
  readonly output: string;
  /** The actions that the text and the output stem from. */
  readonly actionIds: readonly string[];
}

/** All turns of one agent: it goes on after a tool call until it has no turns left or calls none. */
async function act(
  agent: AgentSpec,
  input: RolloutInput,
  told: ReadonlyMap<string, Told>,
  progress: { actionCount: number },
): Promise<Told> {
  const policy = input.policies[agent.name];
  if (policy === undefined) throw new RolloutError("policy", `No policy was given for the agent "${agent.name}".`);
  const { workflow } = input;
  const fields = fieldsFor(agent, input, told);
  const messages: Message[] = [
    { role: "system", content: fillTemplate(agent.system, fields) },
    { role: "user", content: fillTemplate(agent.user, fields) },
  ];
  const dependsOn = seenActions(agent, told);
  let output = toolText([], workflow.toolOutput);
  let outputActionId: string | null = null;
  let version = policy.model;
  for (let turn = 0; ; turn++) {
    const index = progress.actionCount;
    const actionId = `${input.ids.trajectoryId}.${index}`;
    const startedAt = (input.now ?? (() => new Date()))();
    const started = performance.now();
    const observation = messages.map((message) => ({ ...message }));
    const sampled = await ask(agent, { ...policy, model: version }, input, observation, index);
    version = sampled.model;
    const tokens = tokensOf(actionId, sampled, input.temperature);
    const blocks = agent.tool === null ? [] : codeBlocks(sampled.text);
    const toolCalls = await runBlocks(blocks, actionId, input);
    const action: Action = {
      id: actionId,
      ...input.ids,
      index,
      turn,
      agent: agent.name,
      role: agent.role,
      dependsOn: [...dependsOn],
      observation,
      text: sampled.text,
      thinking: sampled.thinking,
      toolCalls,
      finishReason: sampled.finishReason,
      isTruncated: sampled.finishReason === "length" || sampled.finishReason === "abort",
      policyVersion: sampled.model,
      promptTokenCount: sampled.promptTokenCount,
      outputTokenCount: sampled.outputTokenCount,
      startedAt: startedAt.toISOString(),
      durationMs: performance.now() - started,
    };
    progress.actionCount++;
    await input.onAction(action, tokens);
    input.signal.throwIfAborted();
    const refused = toolCalls.find((call) => call.status === "refused");
    if (refused !== undefined)
      throw new RolloutError("tool", `The code of ${agent.role} was not run. ${refused.message ?? ""}`.trim());
    if (toolCalls.length > 0) {
      output = toolText(toolCalls, workflow.toolOutput);
      outputActionId = actionId;
    }
    const turnsLeft = agent.maxTurns - turn - 1;
    if (toolCalls.length === 0 || turnsLeft === 0) {
      const actionIds =
        outputActionId === null || outputActionId === actionId ? [actionId] : [outputActionId, actionId];
      return { text: sampled.text, output, actionIds };
    }
    dependsOn.push(actionId);
    const followUp = fillTemplate(agent.followUp, { ...fields, turns_left: String(turnsLeft), tool_output: output });
    messages.push({ role: "assistant", content: sampled.text }, { role: "user", content: followUp });
  }
}

async function ask(
  agent: AgentSpec,
  policy: Policy,
  input: RolloutInput,
  messages: readonly Message[],
  index: number,
): Promise<Sampled> {
  input.signal.throwIfAborted();
  const { temperature, maxTokens, signal } = input;
  // Each action draws from its own seed, else two turns with the same prompt would say the same.
  const seed = (Math.imul(input.seed ^ (index + 1), 0x9e3779b1) ^ input.seed) >>> 1;
  const sampled = await policy.sample({ model: policy.model, messages, temperature, maxTokens, seed, signal });
  if (!isVersionOf(sampled.model, policy.model)) {
    throw new RolloutError(
      "policy",
      `${agent.role} was to be sampled from "${policy.model}", but the server answered as "${sampled.model}". Nothing of this answer was kept; check what is served under that name.`,
    );
  }
  return sampled;
}

/** Whether the server's name is the one asked for. Only a name that is not frozen (`agent@v3` is) may be answered by a dated form of it. */
function isVersionOf(echoed: string, asked: string): boolean {
  return echoed === asked || (!asked.includes("@") && echoed.startsWith(`${asked}-`));
}

async function runBlocks(blocks: readonly string[], actionId: string, input: RolloutInput): Promise<ToolCall[]> {
  const calls: ToolCall[] = [];
  for (const [place, block] of blocks.entries()) {
    calls.push({ id: `${actionId}.${place}`, ...(await input.sandbox.run(block, { signal: input.signal })) });
  }
  return calls;
}

/** The fields that this agent's templates may use. */
function fieldsFor(agent: AgentSpec, input: RolloutInput, told: ReadonlyMap<string, Told>): Record<string, string> {
  const { workflow } = input;
  const fields: Record<string, string> = {
    problem: input.task.problem,
    role: agent.role,
    position: String(workflow.agents.indexOf(agent) + 1),
    agent_count: String(workflow.agents.length),
    final_role: workflow.agents.find((one) => one.name === workflow.finalAgent)?.role ?? workflow.finalAgent,
    max_tokens: String(input.maxTokens),
    max_turns: String(agent.maxTurns),
    turns_left: String(agent.maxTurns),
  };
  for (const [name, { text, output }] of told) {
    fields[name] = text;
    fields[`${name}_output`] = output;
  }
  return fields;
}

/** The actions whose text or output this agent's prompts hold. */
function seenActions(agent: AgentSpec, told: ReadonlyMap<string, Told>): string[] {
  const names = new Set([agent.system, agent.user, agent.followUp].flatMap(placeholders));
  return [...told]
    .filter(([name]) => names.has(name) || names.has(`${name}_output`))
    .flatMap(([, { actionIds }]) => actionIds);
}

/** The token ids as sampled, or null where the server gave none: then the action is readable but not trainable. */
function tokensOf(actionId: string, sampled: Sampled, temperature: number): ActionTokens | null {
  const { promptTokenIds, tokenIds, logprobs } = sampled;
  if (promptTokenIds === null || tokenIds === null || logprobs === null || tokenIds.length === 0) return null;
  if (tokenIds.length !== logprobs.length) {
    throw new RolloutError(
      "policy",
      `The server gave ${tokenIds.length} token ids but ${logprobs.length} log-probabilities for ${actionId}; such an action cannot be trained on.`,
    );
  }
  return { actionId, promptTokenIds, tokenIds, logprobs, temperature };
}
