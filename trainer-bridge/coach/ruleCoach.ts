// A coach of rules for maths teams: the same action in the same context always gets the same score, with its reasons.
import { agentOf, type Coach, type CoachContext, type ScoreDraft } from "./coach.ts";
import { judgeAnswer } from "./rules/answer.ts";
import { judgeCode } from "./rules/code.ts";
import type { Judgement } from "./rules/judgement.ts";
import { judgePlan } from "./rules/plan.ts";

/** A cut-off action was not finished, whatever stands in it. */
const TRUNCATED_CAP = 3;

/** Judges planners by their expression, tool users by what their code printed, the final agent by its boxed answer. */
export function ruleCoach(): Coach {
  return {
    name: "rules",
    score: async (context, signal) => {
      signal.throwIfAborted();
      return draft(context, judge(context));
    },
  };
}

/** Chooses the rules by what the agent is for: the final answer, a tool, or else a plan. */
function judge(context: CoachContext): Judgement {
  const agent = agentOf(context);
  if (agent === null) return missing(`the team "${context.workflow.title}" has no agent "${context.action.agent}"`);
  if (context.workflow.answer !== "boxed") return missing("there are rules only for maths teams with a boxed answer");
  if (agent.name === context.workflow.finalAgent) return judgeAnswer(context);
  return agent.tool === null ? judgePlan(context) : judgeCode(context);
}

function missing(reason: string): Judgement {
  return { value: null, missingReason: reason, rationale: "", evidence: [], tags: [] };
}

function draft({ action, phase }: CoachContext, judgement: Judgement): ScoreDraft {
  const isCut = action.isTruncated && judgement.value !== null;
  const note = isCut ? ` The text was cut off at the token limit, so no more than ${TRUNCATED_CAP} of 10.` : "";
  return {
    kind: "score",
    source: "rule",
    phase,
    value: isCut && judgement.value !== null ? Math.min(judgement.value, TRUNCATED_CAP) : judgement.value,
    rationale: `${judgement.rationale}${note}`,
    evidence: [...judgement.evidence],
    tags: isCut ? [...judgement.tags, "truncated"] : [...judgement.tags],
    author: "rules",
    basedOn: null,
    missingReason: judgement.missingReason ?? null,
    promptSha256: null,
    promptTokenCount: null,
    outputTokenCount: null,
    cost: 0,
  };
}
