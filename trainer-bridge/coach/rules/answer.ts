// Rules for the agent that answers: a closed box, the number that the tool gave, and the truth where it is known.
import { answerNumber, boxedAnswer, isSameAnswer } from "../../../src/protocol/answer.ts";
import type { Evidence } from "../../../src/protocol/model.ts";
import { type CoachContext, evidenceFor } from "../coach.ts";
import { isSameValue, numbersIn } from "../expression.ts";
import { printedNumber } from "./code.ts";
import type { Judgement } from "./judgement.ts";

/** 10 for the right boxed number; 8 for a true report of a wrong one; 2-5 for faults of its own. */
export function judgeAnswer(context: CoachContext): Judgement {
  const { action, task } = context;
  const text = action.text.trim();
  if (text === "") return { value: 0, rationale: "Nothing was written.", evidence: [], tags: ["empty"] };
  const given = givenNumber(context);
  const boxed = boxedAnswer(action.text);
  if (boxed === null) return judgeUnboxed(context, given?.number ?? null);
  const evidence: Evidence[] = [
    evidenceFor("text", action.text, `\\boxed{${boxed}}`),
    ...(given === null ? [] : [given.evidence]),
  ];
  if (task.answer !== null && isSameAnswer(boxed, task.answer)) {
    const came =
      given === null
        ? "though no program gave it"
        : isSame(boxed, given.number)
          ? "as the program printed"
          : `though the program printed ${given.number}`;
    return { value: 10, rationale: `${boxed} is the right answer, ${came}.`, evidence, tags: ["rightAnswer"] };
  }
  const wrong = task.answer === null ? "" : ` The right answer is ${task.answer}.`;
  if (given === null) {
    const value = task.answer === null ? 4 : 2;
    return {
      value,
      rationale: `${boxed} was boxed without a number to go by.${wrong}`,
      evidence,
      tags: ["inventedAnswer"],
    };
  }
  if (isSame(boxed, given.number)) {
    if (task.answer === null) {
      return {
        value: 8,
        rationale: `${boxed} is boxed, as the program printed. The right answer is not known.`,
        evidence,
        tags: ["noGroundTruth"],
      };
    }
    const rationale = `${boxed} is a true report of what the program printed; the fault lies before it.${wrong}`;
    return { value: 8, rationale, evidence, tags: ["upstreamFault"] };
  }
  return {
    value: 2,
    rationale: `${boxed} is boxed, but the program printed ${given.number}.${wrong}`,
    evidence,
    tags: ["wrongNumber"],
  };
}

function judgeUnboxed({ action }: CoachContext, given: string | null): Judgement {
  const quote = action.text.trim().split("\n").at(-1) ?? "";
  const evidence = [evidenceFor("text", action.text, quote)];
  const says = given !== null && numbersIn(action.text).some((number) => isSame(number, given.replace(/^[-+]/, "")));
  if (action.text.includes("\\boxed")) {
    const rationale = says
      ? "The number is the program's, but the box is not closed, so it does not count."
      : "The box is not closed, so nothing counts.";
    return { value: says ? 4 : 2, rationale, evidence, tags: ["boxNotClosed"] };
  }
  if (says)
    return {
      value: 3,
      rationale: "The number is the program's, but it is not in \\boxed{}, so it does not count.",
      evidence,
      tags: ["notBoxed"],
    };
  if (given === null && numbersIn(action.text).length === 0) {
    const rationale = "No program gave a number, and none was made up; but there is no boxed answer.";
    return { value: 4, rationale, evidence, tags: ["notBoxed", "upstreamFault"] };
  }
  const known = given === null ? "no program gave a number" : `the program printed ${given}`;
  return { value: 1, rationale: `There is no boxed answer; ${known}.`, evidence, tags: ["notBoxed"] };
}

/** The number that the last program before this action printed, with where it stands; null where there is none. */
function givenNumber({ earlier }: CoachContext): { number: string; evidence: Evidence } | null {
  const call = earlier.flatMap((one) => one.toolCalls).at(-1);
  if (call === undefined || call.status !== "ok") return null;
  const number = printedNumber(call.stdout);
  return number === null ? null : { number, evidence: evidenceFor("stdout", call.stdout, number, call.id) };
}

function isSame(left: string, right: string): boolean {
  return isSameValue(answerNumber(left), answerNumber(right));
}
