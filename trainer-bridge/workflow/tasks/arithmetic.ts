// Draws arithmetic word problems from policy/problems.json, as the comment in that file says.
import * as z from "zod";
import problems from "../../policy/problems.json" with { type: "json" };
import { fillTemplate } from "../template.ts";
import type { Random } from "./random.ts";

const Problems = z.object({
  largest: z.number(),
  words: z.record(z.string(), z.array(z.string()).min(2)),
  templates: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      expression: z.string(),
      steps: z.array(z.tuple([z.enum(["+", "-", "*"]), z.string(), z.string()])).min(1),
      numbers: z.record(z.string(), z.tuple([z.number(), z.number()])),
    }),
  ),
});
type Step = z.infer<typeof Problems>["templates"][number]["steps"][number];

const data = Problems.parse(problems);

/** A drawn problem with its answer; `meta` has the template and the expression that solves it. */
export interface ArithmeticProblem {
  readonly problem: string;
  readonly answer: string;
  readonly meta: { templateId: string; expression: string };
}

/** One problem, drawn from the same distribution as policy/problems.py draws from. */
export function arithmeticTask(random: Random): ArithmeticProblem {
  const template = random.choice(data.templates);
  const fields: Record<string, string> = {};
  for (const [kind, choices] of Object.entries(data.words)) {
    if (template.text.includes(`{${kind}}`)) fields[kind] = random.choice(choices);
  }
  if (template.text.includes("{name2}")) {
    fields.name2 = random.choice((data.words.name ?? []).filter((name) => name !== fields.name));
  }
  for (;;) {
    const numbers = Object.entries(template.numbers).map(
      ([letter, [low, high]]) => [letter, random.integer(low, high)] as const,
    );
    const results = evaluate(template.steps, new Map(numbers));
    if (results.some((result) => result < 0 || result > data.largest)) continue;
    for (const [letter, number] of numbers) fields[letter] = String(number);
    return {
      problem: fillTemplate(template.text, fields),
      answer: String(results.at(-1)),
      meta: { templateId: template.id, expression: fillTemplate(template.expression, fields) },
    };
  }
}

/** The result of each step; a side is a number's letter or `#k`, the result of the k-th step. */
function evaluate(steps: readonly Step[], numbers: ReadonlyMap<string, number>): number[] {
  const results: number[] = [];
  for (const [operator, ...sides] of steps) {
    const [left, right] = sides.map((side) =>
      side.startsWith("#") ? results[Number(side.slice(1)) - 1] : numbers.get(side),
    );
    if (left === undefined || right === undefined)
      throw new Error(`A step of problems.json names no number: ${sides.join(", ")}.`);
    results.push(operator === "+" ? left + right : operator === "-" ? left - right : left * right);
  }
  return results;
}
