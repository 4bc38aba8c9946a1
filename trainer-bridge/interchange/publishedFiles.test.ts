// The published files themselves, where they are at hand: every trajectory and action is counted a second way.
import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { importFile } from "./importFile.ts";

const data = path.resolve(import.meta.dirname, "../../../shared/data/transcripts");
const isHere = existsSync(data);
if (!isHere) console.warn(`The published files are not at ${data}; the tests that read them are skipped.`);
const filesOf = (pattern: string) => (isHere ? globSync(pattern, { cwd: data }).sort() : []);
const imported = (file: string) => importFile(path.basename(file), readFileSync(path.join(data, file)), "Published");
const counts = (file: string) => {
  const { trajectories } = imported(file);
  return [trajectories.length, trajectories.reduce((total, { actions }) => total + actions.length, 0)];
};
const json = (text: string): { history?: { role: string }[] }[] => JSON.parse(text);

/** Trajectories and actions of a file, counted with no code of the importers. */
const expected: Record<string, (text: string) => [number, number]> = {
  "who-and-when": (text) => [
    1,
    json(`[${text}]`)[0]?.history?.filter(({ role }) => role !== "human").length ?? Number.NaN,
  ],
  historical_trajectories: (text) => [json(text).length, text.match(/"role": ?"assistant"/g)?.length ?? 0],
  docent: (text) => [1, text.match(/"role": ?"assistant"/g)?.length ?? 0],
  few_shot_data: (text) => [text.trim().split("\n").length, text.match(/(?:"|\\n)assistant: /g)?.length ?? 0],
};

describe.skipIf(!isHere)("exact counts of", () => {
  test.each(filesOf("{who-and-when,tau-bench}/**/*.{json,jsonl}"))("%s", (file) => {
    const [, count] = Object.entries(expected).find(([folder]) => file.split("/").includes(folder)) ?? [];
    expect(counts(file)).toEqual(count?.(readFileSync(path.join(data, file), "utf8")) ?? "no way to count this file");
  });

  test("all together", () => {
    const files = filesOf("who-and-when/**/*.json");
    expect(files.length).toBeGreaterThan(0);
    const labels = files.flatMap((file) => imported(file).problems);
    // The published labels disagree with their logs in a few files; each is told, none stops the import.
    expect(labels.every(({ message }) => message.startsWith("The gold label"))).toBe(true);
    expect(labels.length).toBeLessThanOrEqual(8);
    const [runs, actions] = counts("tau-bench/historical_trajectories/gpt-4o-airline.json");
    expect([runs, actions]).toEqual([200, 2454]);
  });

  test("successes of tau-bench: 84 of 200 have the reward 1", () => {
    const { trajectories } = imported("tau-bench/historical_trajectories/gpt-4o-airline.json");
    expect(trajectories.filter(({ trajectory }) => trajectory.outcome.reward === 1)).toHaveLength(84);
    expect(new Set(trajectories.map(({ trajectory }) => trajectory.task.id)).size).toBe(50);
    expect(new Set(trajectories.map(({ trajectory }) => trajectory.id)).size).toBe(200);
    const calls = trajectories.flatMap(({ actions }) => actions.flatMap(({ action }) => action.toolCalls));
    expect(calls).toHaveLength(1164);
    expect(calls.filter(({ message }) => message !== null)).toEqual([]);
  });
});

/** What each file made to hurt gives: trajectories, actions, and a part of what is said about it. A file without a row here must still say something or be whole. */
const odd: Record<string, [trajectories: number, actions: number | null, message: string | null]> = {
  "truncated_mid_string.json": [1, null, "The file ends in the middle"],
  "trailing_garbage.json": [1, 28, "stray text behind the end"],
  "utf8_bom.json": [1, 28, null],
  "utf16le.json": [1, 28, null],
  "single_line_crlf.json": [1, 28, null],
  "half_written_last_line.jsonl": [0, 0, "The line is half written; it was left out."],
  "blank_and_comment_lines.jsonl": [0, 0, "1 comment lines were left out."],
  "session.jsonl.gz": [0, 0, "no format that is imported"],
  "truncated_zip.eval": [0, 0, "zip archive"],
  "no_header.eval": [0, 0, "zip archive"],
  "empty_trajectory.traj": [0, 0, "no format that is imported"],
  "nan_infinity.json": [0, 0, "2 values that are not numbers"],
  "empty.jsonl": [0, 0, "The file is empty"],
  "twenty_thousand_messages.json": [1, null, null],
};

describe.skipIf(!isHere)("every file made to hurt is imported, or says why not:", () => {
  test.each(filesOf("odd-derived/*").filter((file) => !file.endsWith("SOURCE.md")))("%s", (file) => {
    const row = odd[path.basename(file)];
    const { problems, format } = imported(file);
    const [trajectories, actions] = counts(file);
    if (trajectories === 0) expect(problems.length).toBeGreaterThan(0);
    expect(format === null).toBe(trajectories === 0);
    for (const { message } of problems) expect(message).toMatch(/\.$/);
    if (row === undefined) return;
    expect(trajectories).toBe(row[0]);
    if (row[1] !== null) expect(actions).toBe(row[1]);
    expect(problems.map(({ message }) => message).join("\n")).toContain(row[2] ?? "");
    if (row[2] === null) expect(problems.filter(({ message }) => !message.startsWith("The gold label"))).toEqual([]);
  });
});
