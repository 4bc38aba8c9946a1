// The small maths team: the very prompts that the shipped policy was warm-started on (policy/prompts.json).
import prompts from "../../policy/prompts.json" with { type: "json" };

/** What each agent has to do, in the coach's words; the prompts themselves come from the policy's file. */
const parts = [
  {
    name: "problem_solver",
    role: "Problem Solver",
    duty: "Read the problem and say which expression to compute.",
    tool: null,
  },
  {
    name: "code_executor",
    role: "Code Executor",
    duty: "Write one fenced Python block that computes the solver's expression and prints it.",
    tool: "python",
  },
  { name: "verifier", role: "Verifier", duty: "Give the number that the program printed, in \\boxed{}.", tool: null },
] as const;

/** `tiny-math` as JSON for parseWorkflow. */
export const tinyMath = {
  name: "tiny-math",
  title: "Small maths team",
  agents: parts.map((part) => {
    const prompt = prompts.agents.find((one) => one.agent === part.name);
    if (prompt === undefined) throw new Error(`policy/prompts.json has no prompt for ${part.name}.`);
    return { ...part, system: prompt.system, user: prompt.user, maxTurns: 1 };
  }),
  finalAgent: "verifier",
  answer: "boxed",
  toolOutput: {
    style: "short",
    error: prompts.toolOutput.error.replace("{last line of stderr}", "{last_line}"),
    empty: prompts.toolOutput.empty,
  },
};
