// The formats that are imported, recognised by what a value holds and never by the name of its file.
import { chatDraft, displayDraft, isChat, tauDraft } from "./chat.ts";
import type { Draft, Problem } from "./draft.ts";
import { fields, type Json, words } from "./loose.ts";
import { isMappaDebug, isMappaEvaluation, mappaDebugDraft, mappaEvaluationDrafts } from "./mappa.ts";
import { isWhoAndWhen, whoAndWhenDraft } from "./whoAndWhen.ts";

type Report = (problem: Problem) => void;
type Fields = Readonly<Record<string, unknown>>;

interface Format {
  readonly name: string;
  fits(holder: Fields): boolean;
  drafts(holder: Fields, report: Report): Draft[];
}

/** Tried from the most telling to the least. */
const formats: readonly Format[] = [
  { name: "mappa-evaluation", fits: isMappaEvaluation, drafts: mappaEvaluationDrafts },
  { name: "mappa-debug", fits: isMappaDebug, drafts: (holder, report) => [mappaDebugDraft(holder, report)] },
  { name: "who-and-when", fits: isWhoAndWhen, drafts: (holder, report) => [whoAndWhenDraft(holder, report)] },
  { name: "tau-bench", fits: ({ traj }) => isChat(traj), drafts: (holder, report) => [tauDraft(holder, report)] },
  {
    name: "tau-bench-few-shot",
    fits: (holder) => words(holder.messages_display) !== undefined,
    drafts: (holder, report) => [displayDraft(holder, report)],
  },
  {
    name: "openai-chat",
    fits: ({ messages }) => isChat(messages),
    drafts: (holder, report) => [chatDraft(holder, report)],
  },
];

const known =
  "MAPPA evaluation results and debug trajectories, Who&When, tau-bench, and chats in OpenAI's format (JSON or JSON lines)";

/** What a value holds; `format` is null where it is none that is imported, and `report` was told what it looks like. */
export function draftsOf(value: unknown, report: Report): { format: string | null; drafts: Draft[] } {
  const holder = isChat(value) ? { messages: value } : fields(value);
  const format = holder === undefined ? undefined : formats.find(({ fits }) => fits(holder));
  if (holder !== undefined && format !== undefined) {
    return { format: format.name, drafts: format.drafts(holder, report).map((draft) => slim(draft, report)) };
  }
  const keys = Object.keys(holder ?? {})
    .slice(0, 6)
    .map((key) => key.slice(0, 40));
  const looks =
    holder === undefined
      ? "is not an object"
      : keys.length === 0
        ? "has no fields"
        : `has the fields ${keys.join(", ")}`;
  report({
    where: "",
    message: `It ${looks}, which is no format that is imported; it was left out. Imported are ${known}.`,
  });
  return { format: null, drafts: [] };
}

/** Characters of JSON that a trajectory's meta may have, and characters of a task's problem: lists and events carry both. */
const META_CHARACTERS = 32_000;
const PROBLEM_CHARACTERS = 20_000;

/** The draft without what is too long to be carried by every list; its actions are untouched. */
function slim(draft: Draft, report: Report): Draft {
  let room = META_CHARACTERS;
  const meta = Object.entries(draft.meta).flatMap(([name, value]): [string, Json][] => {
    const length = name.length + JSON.stringify(value).length;
    if (length <= room) {
      room -= length;
      return [[name, value]];
    }
    report({
      where: name.slice(0, 40),
      message: "The fields beside the trajectory are too long to keep all; this one was left out.",
    });
    return [];
  });
  const { problem } = draft.task;
  if (problem.length <= PROBLEM_CHARACTERS) return { ...draft, meta: Object.fromEntries(meta) };
  report({
    where: "problem",
    message: `The task is shown with its first ${PROBLEM_CHARACTERS} characters; the actions keep what they saw.`,
  });
  const cut = `${problem.slice(0, PROBLEM_CHARACTERS).toWellFormed()} […]`;
  return { ...draft, meta: Object.fromEntries(meta), task: { ...draft.task, problem: cut } };
}
