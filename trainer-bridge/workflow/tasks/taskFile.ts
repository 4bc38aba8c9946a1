// Reads files of problems: every good row is kept, every broken one is named with its line.
import * as z from "zod";

/** One problem of a file. */
export interface TaskRow {
  readonly id: string;
  readonly problem: string;
  readonly answer: string | null;
  readonly meta: Record<string, z.core.util.JSONType>;
}

/** A row that was left out; `line` is 1-based. */
export interface BrokenRow {
  readonly line: number;
  readonly message: string;
}

/** What a file held. */
export interface TaskRows {
  rows: TaskRow[];
  broken: BrokenRow[];
}

const Text = z.string().trim().min(1);
const Gsm8kRow = z.object({ question: Text, answer: z.string(), id: z.union([z.string(), z.number()]).optional() });
const AimeRow = z.looseObject({
  prompt: Text.optional(),
  problem: Text.optional(),
  question: Text.optional(),
  answer: z.union([z.string(), z.number()]).nullable().optional(),
  id: z.union([z.string(), z.number()]).optional(),
});

/** GSM8K: one `{question, answer}` a line; the answer stands after `####`. */
export function readGsm8k(text: string): TaskRows {
  const found: TaskRows = { rows: [], broken: [] };
  const ids = new Set<string>();
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [place, content] of lines.entries()) {
    if (content.trim() === "") continue;
    const line = place + 1;
    const isUnfinished = line === lines.length;
    const json = parseJson(content);
    if (json === undefined) {
      found.broken.push({ line, message: isUnfinished ? "the last line is half-written" : "not JSON" });
      continue;
    }
    const row = Gsm8kRow.safeParse(json);
    if (!row.success) {
      found.broken.push({ line, message: z.prettifyError(row.error).replaceAll("\n", " ") });
      continue;
    }
    const answer = /####\s*(.+?)\s*$/.exec(row.data.answer)?.[1];
    if (answer === undefined) {
      found.broken.push({ line, message: 'the answer has no "####"' });
      continue;
    }
    keep(found, ids, line, {
      id: String(row.data.id ?? `line-${line}`),
      problem: row.data.question,
      answer,
      meta: { line },
    });
  }
  return found;
}

/** AIME and AMC: a JSON array of `{prompt, answer, id?}`; answers are strings, numbers, or floats such as 142.0. */
export function readAime(text: string): TaskRows {
  const found: TaskRows = { rows: [], broken: [] };
  const ids = new Set<string>();
  for (const { line, content } of arrayItems(text, found.broken)) {
    const json = parseJson(content);
    if (json === undefined) {
      found.broken.push({ line, message: "not JSON" });
      continue;
    }
    const row = AimeRow.safeParse(json);
    const problem = row.success ? (row.data.prompt ?? row.data.problem ?? row.data.question) : undefined;
    if (!row.success || problem === undefined) {
      const why = row.success ? "no prompt" : z.prettifyError(row.error).replaceAll("\n", " ");
      found.broken.push({ line, message: why });
      continue;
    }
    const { answer, id } = row.data;
    const meta: TaskRow["meta"] = { line };
    for (const key of ["year", "problem_number", "part", "source", "url"]) {
      const value = z.union([z.string(), z.number()]).safeParse(row.data[key]);
      if (value.success) meta[key] = value.data;
    }
    keep(found, ids, line, {
      id: String(id ?? `row-${found.rows.length + found.broken.length + 1}`),
      problem,
      answer: plainAnswer(answer),
      meta,
    });
  }
  return found;
}

function keep(found: TaskRows, ids: Set<string>, line: number, row: TaskRow): void {
  if (ids.has(row.id)) {
    found.broken.push({ line, message: `the id "${row.id}" was there before; the first row is kept` });
    return;
  }
  ids.add(row.id);
  found.rows.push(row);
}

function plainAnswer(answer: string | number | null | undefined): string | null {
  if (answer === null || answer === undefined) return null;
  const text = String(answer).trim();
  return text === "" ? null : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The objects of a JSON array as texts with the line each begins at, so that one broken item costs only itself. */
function* arrayItems(text: string, broken: BrokenRow[]): Generator<{ line: number; content: string }> {
  let line = 1;
  let depth = 0;
  let start = -1;
  let startLine = 1;
  let isInString = false;
  let hasArray = false;
  for (let place = 0; place < text.length; place++) {
    const character = text[place];
    if (character === "\n") line++;
    if (isInString) {
      if (character === "\\") place++;
      else if (character === '"') isInString = false;
    } else if (character === '"' && depth > 0) isInString = true;
    else if (character === "[" && depth === 0) hasArray = true;
    else if (character === "{" && depth++ === 0) {
      start = place;
      startLine = line;
    } else if (character === "}" && depth > 0 && --depth === 0)
      yield { line: startLine, content: text.slice(start, place + 1) };
  }
  if (depth > 0) broken.push({ line: startLine, message: "the file ends inside this row" });
  else if (!hasArray) broken.push({ line: 1, message: "not a JSON array of problems" });
}
