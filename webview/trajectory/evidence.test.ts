// Evidence: which lines a reason cites.
import { expect, test } from "vitest";
import type { Evidence } from "../../src/protocol/model.ts";
import { evidenceLines, evidenceText } from "./evidence.ts";

const text = "first line\nsecond line says 23\nthird\n\nfifth (x+1)";
const evidence = (more: Partial<Evidence>): Evidence => ({
  source: "text",
  toolCallId: null,
  lineFrom: null,
  lineTo: null,
  quote: "",
  ...more,
});

test.each([
  ["numbered lines are taken as they are", { lineFrom: 2, lineTo: 3 }, { from: 2, to: 3 }],
  ["one numbered line is a range of one", { lineFrom: 2 }, { from: 2, to: 2 }],
  ["a range past the end ends at the end", { lineFrom: 4, lineTo: 99 }, { from: 4, to: 5 }],
  ["a range turned round is one line", { lineFrom: 3, lineTo: 1 }, { from: 3, to: 3 }],
  ["lines that are not there give way to the quote", { lineFrom: 50, quote: "says 23" }, { from: 2, to: 2 }],
  ["a quote is found where it stands", { quote: "third" }, { from: 3, to: 3 }],
  ["a quote over a line break is found with a space in its place", { quote: "line says 23 third" }, { from: 2, to: 3 }],
  ["a quote is text, not a pattern", { quote: "(x+1)" }, { from: 5, to: 5 }],
  ["a quote that is nowhere lights nothing", { quote: "never said" }, null],
  ["neither lines nor a quote light nothing", {}, null],
])("%s", (_name, more, lines) => {
  expect(evidenceLines(evidence(more), text)).toEqual(lines);
});

test.each([
  [{ source: "code" as const, lineFrom: 3, lineTo: 5 }, "code, lines 3–5"],
  [{ source: "stdout" as const, lineFrom: 3, lineTo: 3 }, "stdout, line 3"],
  [{ source: "observation" as const, quote: "x" }, "what it saw"],
])("the link to %o reads %s", (more, link) => {
  expect(evidenceText(evidence(more))).toBe(link);
});
