// Hand-made trajectories for looking at the Trajectory page: a readable one, a hostile one, and one of ten thousand actions.
import type { ActionMark, ActionView } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import type { Action, Output, Score, ToolCall, Trajectory } from "../../src/protocol/model.ts";

/** The team of the hand-made trajectories. */
export const AGENTS = ["Problem Solver", "Code Executor", "Verifier"];
const AT = "2026-03-04T09:12:00.000Z";

/** A score record of a hand-made action. */
export function score(actionId: string, value: number | null, rationale: string, more: Partial<Score> = {}): Score {
  return {
    id: `${actionId}-s${more.kind ?? "score"}-${more.phase ?? "online"}`,
    runId: "run-1",
    trajectoryId: "t-1",
    actionId,
    kind: "score",
    source: "coach",
    phase: "online",
    value,
    rationale,
    evidence: [],
    tags: [],
    author: "maths coach",
    basedOn: null,
    missingReason: value === null ? "the reply could not be read" : null,
    promptSha256: null,
    promptTokenCount: null,
    outputTokenCount: null,
    cost: null,
    at: AT,
    ...more,
  };
}

/** A tool call of a hand-made action. */
export function toolCall(id: string, more: Partial<ToolCall>): ToolCall {
  return {
    id,
    tool: "python",
    language: "python",
    input: "",
    status: "ok",
    message: null,
    exitCode: 0,
    stdout: "",
    stderr: "",
    stdoutBlob: null,
    stderrBlob: null,
    outputs: [],
    filesBefore: [],
    filesAfter: [],
    durationMs: 83,
    ...more,
  };
}

/** An output of a tool call. */
export function output(mime: string, text: string | null, blob: string | null = null): Output {
  return { mime, text, blob, sizeBytes: text?.length ?? 2048 };
}

/** An action of a hand-made trajectory. */
export function action(index: number, agent: string, text: string, more: Partial<Action> = {}): Action {
  return {
    id: `a${index}`,
    runId: "run-1",
    trajectoryId: "t-1",
    index,
    turn: Math.floor(index / 3),
    agent,
    role: agent,
    dependsOn: [],
    observation: [
      { role: "system", content: `You are the ${agent} of a team of three.\nAnswer in the boxed form.` },
      {
        role: "user",
        content: "A shop sells pens in packs of 4 and 9.\nWhich is the largest number of pens that cannot be bought?",
      },
    ],
    text,
    thinking: null,
    toolCalls: [],
    finishReason: "stop",
    isTruncated: false,
    policyVersion: `${agent.split(" ").at(-1)?.toLowerCase()}@v3`,
    promptTokenCount: 212,
    outputTokenCount: 148,
    startedAt: AT,
    durationMs: 2140,
    ...more,
  };
}

/** One hand-made trajectory with its actions. */
export interface MadeTrajectory {
  readonly trajectory: Trajectory;
  readonly views: readonly ActionView[];
}

/** The record of a trajectory around its actions. */
export function trajectoryOf(views: readonly ActionView[], more: Partial<Trajectory> = {}): MadeTrajectory {
  return {
    views,
    trajectory: {
      id: "t-1",
      runId: "run-1",
      iterationId: "it-3",
      purpose: "train",
      task: {
        id: "pens-4-9",
        setName: "arithmetic",
        problem:
          "A shop sells pens in packs of $4$ and $9$. Which is the largest number of pens that **cannot** be bought?",
        answer: "23",
        meta: {},
      },
      sampleIndex: 0,
      title: "Pens in packs of 4 and 9",
      agents: AGENTS,
      policyVersions: {},
      outcome: { kind: "completed", reward: 1, answer: "23", boundary: null, message: null },
      actionCount: views.length,
      meanScore: 6.3,
      minScore: 2,
      missingScoreCount: 1,
      overrideCount: 1,
      startedAt: AT,
      endedAt: AT,
      meta: {},
      ...more,
    },
  };
}

/** The mark of an action. */
export function markOf({ action: made, scores }: ActionView): ActionMark {
  const { coach, override } = effectiveScore(scores);
  return {
    actionId: made.id,
    index: made.index,
    turn: made.turn,
    agent: made.agent,
    coach: coach?.value ?? null,
    override: override?.value ?? null,
    toolStatus: made.toolCalls.at(-1)?.status ?? null,
    size: made.text.length,
  };
}

const view = (made: Action, scores: Score[], cut: Record<string, number> = {}): ActionView => ({
  action: made,
  scores,
  cut,
});

const code = `from math import gcd

def largest_unreachable(a: int, b: int) -> int:
    """Frobenius number of two coprime packs."""
    if gcd(a, b) != 1:
        raise ValueError("there is no largest one")
    return a * b - a - b

reachable = {4 * i + 9 * j for i in range(30) for j in range(20)}
gaps = [n for n in range(60) if n not in reachable]
print(gaps)
print("largest:", max(gaps), largest_unreachable(4, 9))`;

const failing = `import pandas as pd
frame = pd.read_csv("packs.csv")
print(frame.groupby("pack").sum())
check(frame)`;

const traceback = `Traceback (most recent call last):
  File "/work/cell.py", line 4, in <module>
    check(frame)
    ^^^^^
NameError: name 'check' is not defined`;

const plot = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 160"><rect width="360" height="160" fill="white"/><g stroke="#888"><path d="M40 130H340M40 130V20"/></g>${Array.from({ length: 24 }, (_, i) => `<rect x="${44 + i * 12}" y="${130 - ((i * 37) % 90) - 10}" width="9" height="${((i * 37) % 90) + 10}" fill="#3b7dd8"/>`).join("")}<text x="44" y="152" font-size="11" font-family="sans-serif">pens that cannot be bought</text></svg>`;

const html = `<div><style scoped>.dataframe{color:red}</style><table border="1" class="dataframe" style="color:red"><thead><tr style="text-align: right;"><th></th><th>pack</th><th>count</th><th>reach</th></tr></thead><tbody>${Array.from({ length: 12 }, (_, i) => `<tr><th>${i}</th><td>${i % 2 ? "nine" : "four"}</td><td>${(i * 7) % 13}</td><td>${(i * 0.37).toFixed(2)}</td></tr>`).join("")}</tbody></table></div>`;

/** A trajectory a person could read: every part of the page once. */
export function teamTrajectory(): MadeTrajectory {
  const progress = Array.from(
    { length: 80 },
    (_, i) => `\u001b[32m✔\u001b[0m checked pack size ${i + 1} of 80 \u001b[2m(${(i * 0.13).toFixed(2)} s)\u001b[0m`,
  ).join("\n");
  const views: ActionView[] = [
    view(
      action(
        0,
        AGENTS[0] ?? "",
        "We look for the largest $n$ that is **not** of the form $4a + 9b$ with $a, b \\ge 0$.\n\nFor coprime $p$ and $q$ the answer is known:\n\n$$g(p, q) = pq - p - q = \\frac{(p-1)(q-1)}{1} - 1$$\n\n1. $4 \\cdot 9 = 36$\n2. $36 - 4 - 9 = 23$\n\nSo I expect $\\boxed{23}$, but please check it by enumeration: the formula needs $\\gcd(4, 9) = 1$, which holds since $9 = 2 \\cdot 4 + 1$.",
        {
          thinking:
            "Two pack sizes, coprime.\nThis is the Frobenius coin problem.\nI recall $pq - p - q$; better let the executor enumerate it.",
        },
      ),
      [
        score(
          "a0",
          8,
          "States the right theorem, checks that its condition holds and asks for an independent check instead of trusting memory. The closing claim is correct; the fraction in the display adds nothing.",
          {
            evidence: [
              { source: "text", toolCallId: null, lineFrom: 5, lineTo: 5, quote: "$$g(p, q)" },
              { source: "thinking", toolCallId: null, lineFrom: 3, lineTo: 3, quote: "I recall" },
            ],
            tags: ["correct", "plans"],
          },
        ),
      ],
    ),
    view(
      action(1, AGENTS[1] ?? "", "I enumerate all reachable numbers and compare the largest gap with the formula.", {
        toolCalls: [
          toolCall("c1", {
            input: code,
            stdout: "[1, 2, 3, 5, 6, 7, 10, 11, 14, 15, 19, 23]\nlargest: 23 23\n",
            outputs: [
              output("image/svg+xml", plot),
              output("text/html", html),
              output(
                "application/json",
                JSON.stringify({ packs: [4, 9], gaps: { count: 12, largest: 23 }, note: "coprime" }),
              ),
            ],
            filesBefore: [{ name: "packs.csv", sizeBytes: 812, sha256: "9f2c11aa".repeat(8) }],
            filesAfter: [
              { name: "packs.csv", sizeBytes: 812, sha256: "9f2c11aa".repeat(8) },
              { name: "gaps.json", sizeBytes: 18_412, sha256: "77ab01c4".repeat(8) },
            ],
          }),
        ],
      }),
      [
        score("a1", 4, "Runs the check, but the text repeats the plan without saying what the output shows.", {
          evidence: [
            { source: "code", toolCallId: "c1", lineFrom: 9, lineTo: 10, quote: "reachable =" },
            { source: "stdout", toolCallId: "c1", lineFrom: 2, lineTo: 2, quote: "largest: 23 23" },
          ],
        }),
        score("a1", 8, "The enumeration is complete and agrees with the formula; that is what was asked of it.", {
          kind: "override",
          source: "human",
          author: "Jana",
          basedOn: "a1-sscore-online",
          at: "2026-03-04T10:02:00.000Z",
        }),
      ],
    ),
    view(
      action(
        2,
        AGENTS[2] ?? "",
        "The enumeration ends with 23, equal to the formula.\n\n| check | result |\n|---|---:|\n| formula | 23 |\n| enumeration | 23 |\n\nThe answer is $\\boxed{23}$.",
      ),
      [score("a2", 9.25, "Confirms from two independent sources and states the final answer in the asked form.")],
    ),
    view(
      action(3, AGENTS[1] ?? "", "Let me also read the packs from the file.", {
        toolCalls: [
          toolCall("c3", {
            input: failing,
            status: "error",
            exitCode: 1,
            durationMs: 1240,
            stdout: `${progress}\n\r 10%|█         |\r 50%|█████     |\r100%|██████████|\n`,
            stderr: `UserWarning: the file has no index\n${traceback}\n`,
          }),
        ],
      }),
      [
        score(
          "a3",
          2,
          "Calls a function that does not exist; the traceback names it, and no later action repairs it.",
          {
            evidence: [
              {
                source: "stderr",
                toolCallId: "c3",
                lineFrom: 6,
                lineTo: 6,
                quote: "NameError: name 'check' is not defined",
              },
            ],
          },
        ),
        score("a3", 1.5, "Nothing that came after used this output.", { phase: "hindsight" }),
      ],
      { "toolCalls/0/stdout": 120_400 },
    ),
    view(
      action(
        4,
        AGENTS[2] ?? "",
        "The largest number of pens that cannot be bought is 23. To be thorough I will list every num",
        { isTruncated: true, finishReason: "length" },
      ),
      [score("a4", null, "")],
    ),
    view(
      action(
        5,
        AGENTS[0] ?? "",
        "Thank you. `23` stands.\n\n> A check by a second method is worth more than a longer proof.\n\n```python\nassert largest_unreachable(4, 9) == 23\n```",
      ),
      [score("a5", 6, "Adds nothing new, but ends cleanly.")],
    ),
  ];
  return trajectoryOf(views);
}

/** Ten thousand actions of every length, some with tool calls. */
export function longTrajectory(count: number): MadeTrajectory {
  const words = "the pack of four and nine gives every number from twenty four on because".split(" ");
  const views = Array.from({ length: count }, (_, index): ActionView => {
    const agent = AGENTS[index % 3] ?? "";
    const length = 8 + ((index * 7919) % 160);
    const text = `${Array.from({ length }, (_, place) => words[(place * 31 + index) % words.length]).join(" ")} $x_{${index}} = \\frac{${index}}{${(index % 9) + 1}}$.`;
    const calls =
      index % 3 === 1
        ? [
            toolCall(`c${index}`, {
              input: `for i in range(${index % 20}):\n    print(i, "of", ${index})`,
              stdout: Array.from({ length: index % 20 }, (_, i) => `${i} of ${index}`).join("\n"),
            }),
          ]
        : [];
    const made = action(index, agent, index % 5 === 0 ? `### Step ${index}\n\n- ${text}\n- and **so on**` : text, {
      toolCalls: calls,
    });
    const coach = score(
      made.id,
      index % 17 === 0 ? null : ((index * 13) % 21) / 2,
      "Moves the work on, without a check of its own.",
    );
    const own =
      index % 41 === 0
        ? [score(made.id, (index * 3) % 11, "Better than that.", { kind: "override", source: "human", author: "Jana" })]
        : [];
    return view(made, [coach, ...own]);
  });
  return trajectoryOf(views, { title: `A long one: ${count} actions` });
}
