// Chats in OpenAI's format: each message of an assistant is an action, answers of tools belong to the call they answer,
// and what users and systems wrote is the observation of the next action.
import type { Message } from "../../src/protocol/model.ts";
import { contentId, type Draft, type DraftCall, importedOutcome, type Problem, type Turn } from "./draft.ts";
import { asName, asText, fields, finite, items, type Json, plain, words } from "./loose.ts";

/** True for a list in which at least one item is a message. */
export function isChat(value: unknown): boolean {
  return (
    items(value)?.some((item) => words(fields(item)?.role) !== undefined && "content" in (fields(item) ?? {})) === true
  );
}

/** The actions of a chat, and the messages behind the last one. What cannot be placed is told to `report`. */
export function chatTurns(
  messages: readonly unknown[],
  report: (problem: Problem) => void,
): { turns: Turn[]; closing: Message[] } {
  const turns: (Turn & { toolCalls: DraftCall[] })[] = [];
  const open = new Map<string, DraftCall>();
  let observation: Message[] = [];
  for (const [place, raw] of messages.entries()) {
    const message = fields(raw);
    const where = `message ${place + 1}`;
    const role = message?.role;
    if (message === undefined || typeof role !== "string") {
      report({ where, message: "This is not a message with a role; it was left out." });
      continue;
    }
    const content = contentText(message.content, () =>
      report({ where, message: "An image or other part that is not text was left out." }),
    );
    if (role === "assistant" || role === "model") {
      const agent = asName(message.name, "assistant");
      const toolCalls = callsOf(message);
      for (const call of toolCalls) if (call.id !== undefined) open.set(call.id, call);
      const thinking = words(message.reasoning_content) ?? words(message.reasoning) ?? null;
      turns.push({ agent, role: agent, observation, text: content, thinking, toolCalls, score: null });
      observation = [];
    } else if (role === "tool" || role === "function") {
      const call = answeredCall(message, open, turns.at(-1)?.toolCalls ?? []);
      if (call !== undefined) call.output = content;
      else if (turns.length > 0 && observation.length === 0) {
        turns.at(-1)?.toolCalls.push({
          id: words(message.tool_call_id),
          tool: asName(message.name, "unknown"),
          language: null,
          input: "",
          output: content,
        });
      } else observation.push({ role: "tool", content });
    } else {
      if (!["system", "developer", "user", "human"].includes(role))
        report({ where, message: `The role "${asName(role, "?")}" is not known; it was read as a user's.` });
      const name = words(message.name);
      observation.push({
        role: role === "system" || role === "developer" ? "system" : "user",
        content,
        ...(name === undefined ? {} : { name: asName(name, "user") }),
      });
    }
  }
  if (turns.length === 0)
    report({ where: "messages", message: "No assistant wrote here, so the trajectory has no action." });
  return { turns, closing: observation };
}

/** The open call a tool's message answers: by its id, else the first one of the last action without an answer. */
function answeredCall(
  message: Readonly<Record<string, unknown>>,
  open: Map<string, DraftCall>,
  last: readonly DraftCall[],
): DraftCall | undefined {
  const id = words(message.tool_call_id);
  if (id !== undefined) {
    const call = open.get(id);
    open.delete(id);
    return call;
  }
  const name = words(message.name);
  return last.find(
    (call) => call.output === null && (name === undefined || call.tool === name || call.tool === "unknown"),
  );
}

function callsOf(message: Readonly<Record<string, unknown>>): DraftCall[] {
  const calls = items(message.tool_calls) ?? [];
  const old = fields(message.function_call);
  return [
    ...calls.map((call) => ({
      id: words(fields(call)?.id),
      asked: fields(fields(call)?.function) ?? fields(call),
    })),
    { id: undefined, asked: old },
  ]
    .filter(({ asked }) => asked !== undefined)
    .map(({ id, asked }) => ({
      id,
      tool: asName(asked?.name, "unknown"),
      language: null,
      input: asText(asked?.arguments ?? asked?.input),
      output: null,
    }));
}

/** The text of a content: a string, or the text parts of a list. */
function contentText(content: unknown, onLeftOut: () => void): string {
  const parts = items(content);
  if (parts === undefined) return asText(content);
  const texts: string[] = [];
  for (const part of parts) {
    const text = typeof part === "string" ? part : fields(part)?.text;
    if (typeof text === "string") texts.push(text);
    else onLeftOut();
  }
  return texts.join("\n");
}

/** The first thing a user wrote, which stands for the task where a file names none. */
function firstAsked(turns: readonly Turn[], messages: readonly unknown[]): string {
  const seen = turns[0]?.observation.find(({ role }) => role === "user")?.content;
  return seen ?? asText(messages.map(fields).find((message) => message?.role === "user")?.content);
}

/** A chat by itself: `{"messages": [...]}`, or the bare list. */
export function chatDraft(value: unknown, report: (problem: Problem) => void): Draft {
  const holder = fields(value);
  const messages = items(holder === undefined ? value : holder.messages) ?? [];
  const { turns, closing } = chatTurns(messages, report);
  const { messages: _, ...rest } = holder ?? {};
  const problem = firstAsked(turns, messages);
  return {
    task: { id: contentId(problem), setName: "imported", problem, answer: null, meta: {} },
    sampleIndex: 0,
    outcome: importedOutcome(null),
    turns,
    meta: { format: "openai-chat", observation: "since the action before", ...closingOf(closing), ...objectOf(rest) },
  };
}

/** One tau-bench run: the chat in `traj`, with the task, its reward of 0 or 1 and the trial. */
export function tauDraft(run: Readonly<Record<string, unknown>>, report: (problem: Problem) => void): Draft {
  const messages = items(run.traj) ?? [];
  const { turns, closing } = chatTurns(messages, report);
  const info = fields(run.info) ?? {};
  const reward = finite(run.reward);
  const isReward = reward !== undefined && reward >= 0 && reward <= 1;
  if (run.reward !== undefined && !isReward)
    report({ where: "reward", message: "The reward is not a number from 0 to 1; it was left out." });
  const problem = words(fields(info.task)?.instruction) ?? firstAsked(turns, messages);
  const trial = finite(run.trial);
  const taskId = run.task_id === undefined ? contentId(problem) : `tau-bench-${asName(run.task_id, "unknown")}`;
  return {
    task: { id: taskId, setName: "tau-bench", problem, answer: null, meta: {} },
    sampleIndex: trial !== undefined && trial >= 0 ? Math.floor(trial) : 0,
    outcome: importedOutcome(isReward ? reward : null),
    turns,
    meta: {
      format: "tau-bench",
      observation: "since the action before",
      ...closingOf(closing),
      ...objectOf({ task_id: run.task_id, trial: run.trial, info }),
    },
  };
}

const speaker = /^(system|user|assistant|tool): ?/;

/** A chat written out as one text (`messages_display`): a line that begins with a role begins a message. */
export function displayDraft(row: Readonly<Record<string, unknown>>, report: (problem: Problem) => void): Draft {
  const messages: { role: string; content: string }[] = [];
  for (const line of asText(row.messages_display).split("\n")) {
    const role = speaker.exec(line)?.[1];
    const last = messages.at(-1);
    if (role !== undefined) messages.push({ role, content: line.replace(speaker, "") });
    else if (last !== undefined) last.content += `\n${line}`;
    else if (line.trim() !== "")
      report({ where: "messages_display", message: "Text before the first role was left out." });
  }
  // An assistant that only called a tool is written as "None"; which tool it called is not in the file.
  const written = messages.map(({ role, content }) => ({
    role,
    content: role === "assistant" && content.trim() === "None" ? "" : content.trimEnd(),
  }));
  const { messages_display: _, ...rest } = row;
  const draft = chatDraft({ messages: written }, report);
  return {
    ...draft,
    task: { ...draft.task, setName: "tau-bench" },
    meta: { ...draft.meta, ...objectOf(rest), format: "tau-bench-few-shot" },
  };
}

/** What was said behind the last action: no action saw it, and it is kept with the trajectory. */
export function closingOf(closing: readonly Message[]): Record<string, Json> {
  return closing.length === 0 ? {} : { closing: plain(closing) };
}

function objectOf(value: Readonly<Record<string, unknown>>): Record<string, Json> {
  const defined = Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
  return plain(defined) as Record<string, Json>;
}
