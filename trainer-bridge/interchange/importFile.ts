// One file of another tool → trajectories. The format is recognised by content; what cannot be read is named, never dropped in silence.
import type { Run } from "../../src/protocol/model.ts";
import { isChat } from "./chat.ts";
import { assembled, contentId, type Draft, type ImportedTrajectory, type Problem } from "./draft.ts";
import { fileText } from "./fileText.ts";
import { draftsOf } from "./formats.ts";
import { readJson } from "./jsonText.ts";
import { items } from "./loose.ts";

/** What a file held. `format` and `run` are null where nothing of it could be imported; `problems` then says why. */
export interface ImportResult {
  readonly format: string | null;
  readonly run: Omit<Run, "trajectoryCount" | "actionCount" | "createdAt"> | null;
  readonly trajectories: readonly ImportedTrajectory[];
  readonly problems: readonly Problem[];
}

/** What the one who imports may decide. */
export interface ImportOptions {
  /** An import run that is already there, to put the trajectories into. */
  readonly runId?: string | undefined;
  /** The time that stands for what the file does not date; now where absent. */
  readonly at?: Date;
}

/** More kinds of problems than these are counted, not listed; of each, so many places are named. */
const LISTED_PROBLEMS = 100;
const NAMED_PLACES = 3;

/** Reads a file into trajectories whose ids follow from their content. It never throws because of what the file holds. */
export function importFile(
  fileName: string,
  bytes: Uint8Array,
  runName: string,
  options: ImportOptions = {},
): ImportResult {
  const problems = problemList();
  const { text, problems: decoding } = fileText(bytes);
  for (const message of decoding) problems.add({ where: fileName, message });
  if (text === undefined) return nothing(problems.all());
  const drafts: Draft[] = [];
  const found = new Set<string>();
  const rows = rowsOf(text, fileName, problems.add);
  if (rows.length === 0 && problems.all().length === 0)
    problems.add({ where: fileName, message: "The file is empty, so there is nothing to import." });
  for (const { where, value } of rows.flatMap(partsOf)) {
    const report = (problem: Problem) =>
      problems.add({
        where: [where, problem.where].filter((part) => part !== "").join(", "),
        message: problem.message,
      });
    const held = draftsOf(value, report);
    if (held.format !== null) found.add(held.format);
    drafts.push(...held.drafts);
  }
  if (drafts.length === 0 && problems.all().length === 0) {
    problems.add({ where: fileName, message: "The file is empty, so there is nothing to import." });
  }
  if (drafts.length === 0) return nothing(problems.all());
  const runId = options.runId ?? `import-${contentId(bytes)}`;
  const trajectories = assembled(drafts, runId, (options.at ?? new Date()).toISOString());
  const format = [...found].join(", ");
  const agents = [...new Set(trajectories.flatMap(({ trajectory }) => trajectory.agents))];
  const run = {
    id: runId,
    name: runName,
    kind: "import" as const,
    workflow: format,
    agents,
    config: { fileName, format },
  };
  return { format, run, trajectories, problems: problems.all() };
}

interface Row {
  readonly where: string;
  readonly value: unknown;
}

/** One row for a document, or one for each line of JSON lines. */
function rowsOf(text: string, fileName: string, report: (problem: Problem) => void): Row[] {
  const lines = text.split("\n");
  const firstLine = lines.find(isRow)?.trim() ?? "";
  if (firstLine === "") return [];
  const isLines = lines.filter(isRow).length > 1 && /^[[{]/.test(firstLine) && isWhole(firstLine);
  if (!isLines) {
    const { value, problems } = readJson(text.trimStart());
    for (const message of problems) report({ where: fileName, message });
    return value === undefined ? [] : [{ where: "document", value }];
  }
  const comments = lines.filter((line) => line.trim() !== "" && !isRow(line)).length;
  if (comments > 0) report({ where: fileName, message: `${comments} comment lines were left out.` });
  return lines.flatMap((line, place) => {
    if (!isRow(line)) return [];
    const where = `line ${place + 1}`;
    if (!isWhole(line) && /ends in the middle/.test(readJson(line).problems.join())) {
      report({ where, message: "The line is half written; it was left out." });
      return [];
    }
    const { value, problems } = readJson(line.trim());
    for (const message of problems)
      report({ where, message: value === undefined ? `${message} The line was left out.` : message });
    return value === undefined ? [] : [{ where, value }];
  });
}

/** The items of a list of trajectories, each with its place; everything else stays one row. */
function partsOf(row: Row): Row[] {
  const list = isChat(row.value) ? undefined : items(row.value);
  if (list === undefined) return [row];
  return list.map((value, place) => ({
    where: row.where === "document" ? `item ${place + 1}` : `${row.where}, item ${place + 1}`,
    value,
  }));
}

const isRow = (line: string) => line.trim() !== "" && !/^\s*(#|\/\/)/.test(line);

function isWhole(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

/** Problems in the order they were met; the same one in many places is listed once, with the first places and their number. */
function problemList() {
  const places = new Map<string, { wheres: string[]; count: number }>();
  return {
    add: ({ where, message }: Problem) => {
      const there = places.get(message);
      if (there === undefined) places.set(message, { wheres: [where], count: 1 });
      else {
        there.count += 1;
        if (there.wheres.length < NAMED_PLACES) there.wheres.push(where);
      }
    },
    all: (): Problem[] => {
      const listed = [...places].slice(0, LISTED_PROBLEMS).map(([message, { wheres, count }]) => {
        const more = count > wheres.length ? ` and ${count - wheres.length} more` : "";
        return { where: wheres.join("; ") + more, message };
      });
      const left = places.size - listed.length;
      return left === 0
        ? listed
        : [...listed, { where: "file", message: `There are ${left} more kinds of problems in this file.` }];
    },
  };
}

const nothing = (problems: readonly Problem[]): ImportResult => ({
  format: null,
  run: null,
  trajectories: [],
  problems,
});
