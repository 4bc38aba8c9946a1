// The task's own reward: is the answer in the text the ground truth.
import { boxedAnswer, isSameAnswer } from "../../../src/protocol/answer.ts";
import type { Task } from "../../../src/protocol/model.ts";

/** The answer found in the text, and the outcome reward: 1 or 0, null where the task has no ground truth. */
export interface CheckedAnswer {
  readonly answer: string | null;
  readonly reward: 0 | 1 | null;
}

/** Takes the last closed `\boxed{…}` of the final agent's text; only that counts as an answer. */
export function checkAnswer(task: Task, text: string): CheckedAnswer {
  const answer = boxedAnswer(text);
  if (task.answer === null) return { answer, reward: null };
  return { answer, reward: answer !== null && isSameAnswer(answer, task.answer) ? 1 : 0 };
}
