// A team of agents as data: who follows whom, what each is told, which tool it has.
import * as z from "zod";
import mathChat from "./teams/mathChat.json" with { type: "json" };
import { tinyMath } from "./teams/tinyMath.ts";
import { placeholders } from "./template.ts";

/** One agent of a workflow; `system`, `user` and `followUp` are templates (template.ts). */
export const AgentSpec = z.strictObject({
  /** The name in templates, policies and records. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, "an agent's name is lower-case letters, digits and _, a letter first"),
  /** The role as people read it. */
  role: z.string().min(1),
  /** What the agent has to do, for the coach. */
  duty: z.string().min(1),
  system: z.string(),
  user: z.string().min(1),
  tool: z.enum(["python"]).nullable().default(null),
  /** Turns at most; a turn after the first follows only a tool call. */
  maxTurns: z.number().int().min(1).max(16).default(1),
  /** What the agent is told after a tool call, while it has turns left. */
  followUp: z.string().default("{tool_output}"),
});
export type AgentSpec = z.infer<typeof AgentSpec>;

/** How tool output reaches the agents: `short` is stdout or the last line of the error, `full` everything by head and tail. */
export const ToolOutputStyle = z.strictObject({
  style: z.enum(["short", "full"]),
  /** Characters at most. */
  limit: z.number().int().min(200).default(16_000),
  /** For `short`: what an error reads like; {last_line} is the last line of stderr. */
  error: z.string().default("error: {last_line}"),
  /** For `short`: what stands for no output at all. */
  empty: z.string().default("no output"),
});

/** A team in which the agents act one after the other on one task. */
export const Workflow = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, "a workflow's name is lower-case letters, digits and -, a letter first"),
    title: z.string().min(1),
    agents: z.array(AgentSpec).min(1).max(32),
    /** The agent whose text gives the team's answer. */
    finalAgent: z.string(),
    /** How the answer is found in that text. */
    answer: z.enum(["boxed"]).nullable(),
    toolOutput: ToolOutputStyle.prefault({ style: "full" }),
  })
  .superRefine((team, context) => {
    const seen = new Set<string>();
    for (const [place, agent] of team.agents.entries()) {
      if (seen.has(agent.name)) {
        context.addIssue({
          code: "custom",
          path: ["agents", place, "name"],
          message: `two agents are called "${agent.name}"`,
        });
      }
      const known = knownNames([...seen]);
      checkTemplate(agent.system, known, ["agents", place, "system"], context);
      checkTemplate(agent.user, known, ["agents", place, "user"], context);
      checkTemplate(agent.followUp, [...known, "tool_output"], ["agents", place, "followUp"], context);
      seen.add(agent.name);
    }
    if (!seen.has(team.finalAgent)) {
      context.addIssue({
        code: "custom",
        path: ["finalAgent"],
        message: `"${team.finalAgent}" is not an agent of this team`,
      });
    }
  });
export type Workflow = z.infer<typeof Workflow>;

/** A workflow that cannot be used, with every reason. */
export class WorkflowError extends Error {
  override readonly name = "WorkflowError";
}

/** Names that every template may use besides those of earlier agents; counts and limits are numbers as text. */
export const COMMON_NAMES = [
  "problem",
  "role",
  "position",
  "agent_count",
  "final_role",
  "max_tokens",
  "max_turns",
  "turns_left",
];

/** Every name a template may use after these agents have acted. */
function knownNames(earlier: readonly string[]): string[] {
  return [...COMMON_NAMES, ...earlier.flatMap((agent) => [agent, `${agent}_output`])];
}

function checkTemplate(
  template: string,
  known: readonly string[],
  path: (string | number)[],
  context: z.RefinementCtx,
): void {
  for (const name of placeholders(template)) {
    if (known.includes(name)) continue;
    const message = `{${name}} is not known here; there are ${known.map((one) => `{${one}}`).join(", ")}. A brace itself is written {{ or }}`;
    context.addIssue({ code: "custom", path, message });
  }
}

/** A workflow from JSON; a WorkflowError names every place that is wrong. */
export function parseWorkflow(json: unknown): Workflow {
  const parsed = Workflow.safeParse(json);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => `${issue.path.join(".") || "workflow"}: ${issue.message}`);
  throw new WorkflowError(`The workflow cannot be used. ${places.join("; ")}.`);
}

const builtIn: Readonly<Record<string, unknown>> = { "tiny-math": tinyMath, "math-chat": mathChat };

/** Names of the workflows that come with Touchline. */
export const WORKFLOW_NAMES: readonly string[] = Object.keys(builtIn);

/** The built-in workflow of that name. */
export function workflow(name: string): Workflow {
  if (!Object.hasOwn(builtIn, name)) {
    throw new WorkflowError(`There is no workflow "${name}"; there are ${WORKFLOW_NAMES.join(", ")}.`);
  }
  return parseWorkflow(builtIn[name]);
}
