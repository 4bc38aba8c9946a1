// Rules for an agent that plans: is its expression right, whole and clear.
import { answerNumber, boxedAnswer, rationalText } from "../../../src/protocol/answer.ts";
import { type CoachContext, evidenceFor } from "../coach.ts";
import { type Expression, expressionsIn, isSameNumbers, isSameValue, numbersIn } from "../expression.ts";
import type { Judgement } from "./judgement.ts";

/** 10 for the right computation; 2-4 for a wrong one; 1 for none. Without ground truth at most 7. */
export function judgePlan({ action, task }: CoachContext): Judgement {
  const text = action.text.trim();
  if (text === "") return { value: 0, rationale: "Nothing was written.", evidence: [], tags: ["empty"] };
  const truth = task.answer === null ? null : answerNumber(task.answer);
  const plan = plannedExpression(action.text);
  const boxed = boxedAnswer(action.text);
  if (plan === null) {
    const said = boxed ?? numbersIn(text).at(-1) ?? null;
    if (said !== null && truth !== null && isSameValue(answerNumber(said), truth)) {
      const rationale = `The number ${said} is right, but no expression says how to compute it.`;
      return { value: 6, rationale, evidence: [evidenceFor("text", action.text, said)], tags: ["noExpression"] };
    }
    const quote = text.split("\n")[0] ?? "";
    return {
      value: 1,
      rationale: "No expression to compute.",
      evidence: [evidenceFor("text", action.text, quote)],
      tags: ["noExpression"],
    };
  }
  const evidence = [evidenceFor("text", action.text, plan.text)];
  if (plan.value === null) {
    return {
      value: 2,
      rationale: `${plan.text} cannot be computed as it stands.`,
      evidence,
      tags: ["brokenExpression"],
    };
  }
  const usesAll = isSameNumbers(plan.numbers, numbersIn(task.problem));
  const use = usesAll
    ? "It uses every number of the problem once."
    : "It does not use every number of the problem once.";
  const value = rationalText(plan.value);
  if (truth === null) {
    const why = task.answer === null ? "The right answer is not known." : "The right answer is not a number.";
    return {
      value: usesAll ? 7 : 4,
      rationale: `${plan.text} is ${value}. ${use} ${why}`,
      evidence,
      tags: ["noGroundTruth"],
    };
  }
  if (isSameValue(plan.value, truth)) {
    return { value: 10, rationale: `${plan.text} is ${value}, the right answer.`, evidence, tags: ["rightExpression"] };
  }
  const tags = ["wrongExpression", ...(usesAll ? [] : ["numbersMissing"])];
  return {
    value: usesAll ? 3 : 2,
    rationale: `${plan.text} is ${value}, but the answer is ${rationalText(truth)}. ${use}`,
    evidence,
    tags,
  };
}

/** The expression that a text asks to compute: after the last "compute" on its line, else the last that can be computed, else the last. */
export function plannedExpression(text: string): Expression | null {
  const asked = [...text.matchAll(/\bcompute\b:?\s*([^\n]*)/gi)].flatMap(([, rest = ""]) => expressionsIn(rest));
  const all = asked.length > 0 ? asked : expressionsIn(text);
  return all.findLast((one) => one.value !== null) ?? all.at(-1) ?? null;
}
