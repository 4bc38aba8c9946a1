// Rules for an agent with a tool: is there code, did it run, did it print, and did it compute what was asked.
import { answerNumber, rationalText } from "../../../src/protocol/answer.ts";
import type { Action, ToolCall } from "../../../src/protocol/model.ts";
import { type CoachContext, evidenceFor } from "../coach.ts";
import { isSameValue, numbersIn } from "../expression.ts";
import type { Judgement } from "./judgement.ts";
import { plannedExpression } from "./plan.ts";

/** 10 for code that prints what was asked for; 9 where it mended a wrong plan; 1 without code, 2 failed, 3 silent or wrong. */
export function judgeCode(context: CoachContext): Judgement {
  const { action } = context;
  if (action.text.trim() === "" && action.toolCalls.length === 0) {
    return { value: 0, rationale: "Nothing was written.", evidence: [], tags: ["empty"] };
  }
  const call = action.toolCalls.at(-1);
  if (call === undefined) return judgeWithoutCode(context);
  if (call.status === "refused" || call.status === "unknown") {
    return {
      value: null,
      rationale: "",
      evidence: [],
      tags: [],
      missingReason: "the code was not run, so what it does is not known",
    };
  }
  if (call.status !== "ok") return judgeFailure(call);
  const printed = printedNumber(call.stdout);
  const code = evidenceFor("code", call.input, call.input.trim().split("\n").at(-1) ?? "", call.id);
  if (call.stdout.trim() === "") {
    return {
      value: 3,
      rationale: "The code ran but printed nothing, so nobody sees its result.",
      evidence: [code],
      tags: ["printsNothing"],
    };
  }
  const shown = evidenceFor("stdout", call.stdout, call.stdout.trim().split("\n").at(-1) ?? "", call.id);
  if (printed === null) {
    return {
      value: 4,
      rationale: "The code printed something, but its last line has no number.",
      evidence: [code, shown],
      tags: ["printsNoNumber"],
    };
  }
  return judgeNumber(context, printed, [code, shown]);
}

function judgeNumber(
  { task, earlier, action }: CoachContext,
  printed: string,
  evidence: Judgement["evidence"],
): Judgement {
  const value = answerNumber(printed);
  const truth = task.answer === null ? null : answerNumber(task.answer);
  const asked = plannedExpression(planBefore(earlier, action)?.text ?? "");
  if (asked !== null && asked.value !== null) {
    if (isSameValue(value, asked.value)) {
      return {
        value: 10,
        rationale: `It prints ${printed}, the value of ${asked.text} that was asked for.`,
        evidence,
        tags: ["computesPlan"],
      };
    }
    if (isSameValue(value, truth)) {
      const rationale = `It prints ${printed}, the right answer, though ${asked.text} was asked for.`;
      return { value: 9, rationale, evidence, tags: ["mendsPlan"] };
    }
    const rationale = `It prints ${printed}, but ${asked.text} is ${rationalText(asked.value)}.`;
    return { value: 3, rationale, evidence, tags: ["wrongCode"] };
  }
  if (truth === null) {
    return {
      value: 6,
      rationale: `It prints ${printed}. Nothing says what it should be.`,
      evidence,
      tags: ["noGroundTruth"],
    };
  }
  if (isSameValue(value, truth)) {
    return {
      value: 10,
      rationale: `It prints ${printed}, the right answer, without an expression to go by.`,
      evidence,
      tags: ["mendsPlan"],
    };
  }
  const rationale = `It prints ${printed}; the answer is ${rationalText(truth)}. There was no expression to go by.`;
  return { value: 4, rationale, evidence, tags: ["wrongCode", "upstreamFault"] };
}

function judgeFailure(call: ToolCall): Judgement {
  const lastLine = call.stderr.trim().split("\n").at(-1) ?? "";
  const rationale = `The code ended with ${call.status}${lastLine === "" ? "" : `: ${lastLine}`}.${call.message === null ? "" : ` ${call.message}`}`;
  const where =
    lastLine === ""
      ? evidenceFor("code", call.input, call.input.trim().split("\n")[0] ?? "", call.id)
      : evidenceFor("stderr", call.stderr, lastLine, call.id);
  const isSyntax = /^(SyntaxError|IndentationError|TabError)/.test(lastLine);
  return {
    value: 2,
    rationale,
    evidence: [where],
    tags: [isSyntax ? "syntaxError" : call.status === "error" ? "codeFails" : call.status],
  };
}

/** No code in this turn: fine where an earlier turn's code already printed the number it tells of, else the job was not done. */
function judgeWithoutCode({ action, earlier }: CoachContext): Judgement {
  const quote = action.text.trim().split("\n")[0] ?? "";
  const evidence = [evidenceFor("text", action.text, quote)];
  const before = earlier
    .filter((one) => one.agent === action.agent)
    .flatMap((one) => one.toolCalls)
    .findLast((call) => call.status === "ok");
  const printed = before === undefined ? null : printedNumber(before.stdout);
  if (printed === null) return { value: 1, rationale: "There is no code to run.", evidence, tags: ["noCode"] };
  const tells = numbersIn(action.text).some((number) =>
    isSameValue(answerNumber(number), answerNumber(printed.replace(/^[-+]/, ""))),
  );
  if (tells)
    return {
      value: 8,
      rationale: `It tells of the result ${printed} that its program printed.`,
      evidence,
      tags: ["reportsResult"],
    };
  return {
    value: 4,
    rationale: `Its program printed ${printed}, but the text does not say so.`,
    evidence,
    tags: ["resultNotReported"],
  };
}

/** The last number on the last line that is not blank; null where there is none. */
export function printedNumber(stdout: string): string | null {
  const lastLine = stdout.trim().split("\n").at(-1) ?? "";
  return (
    /(-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?:\/\d+)?)[^\d]*$/i
      .exec(lastLine.replace(/−/g, "-"))?.[1]
      ?.replace(/,$/, "") ?? null
  );
}

/** The last text of an agent before this one: the plan that the code should follow. */
function planBefore(earlier: readonly Action[], action: Action): Action | undefined {
  return earlier.findLast((one) => one.agent !== action.agent);
}
