// Small files of each format, made by hand, become the right trajectories; nothing in a file can make the import throw.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Action, Score, Trajectory } from "../../src/protocol/model.ts";
import { openStore } from "../store/store.ts";
import { importFile } from "./importFile.ts";

const at = new Date("2026-03-01T00:00:00.000Z");
const read = (content: unknown) =>
  importFile("file", Buffer.from(typeof content === "string" ? content : JSON.stringify(content)), "Imported", { at });

/** The only trajectory of a file that has one. */
function single(content: unknown) {
  const result = read(content);
  const [only] = result.trajectories;
  if (only === undefined || result.trajectories.length !== 1)
    throw new Error(`There are ${result.trajectories.length} trajectories.`);
  return {
    ...only,
    problems: result.problems,
    scores: only.actions.flatMap(({ scores }) => scores),
    turns: only.actions.map(({ action }) => action),
  };
}

const call = (id: string, name: string, input: string) => ({
  id,
  type: "function",
  function: { name, arguments: input },
});
const chat = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "What is the weather?" },
  {
    role: "assistant",
    content: null,
    tool_calls: [call("c1", "weather", "{}"), call("c2", "clock", '{"zone":"UTC"}')],
  },
  { role: "tool", tool_call_id: "c2", name: "clock", content: "12:00" },
  { role: "tool", tool_call_id: "c1", name: "weather", content: "sun" },
  { role: "assistant", content: [{ type: "text", text: "Sunny." }], reasoning_content: "It says sun." },
  { role: "user", content: "Thanks." },
];

describe("a chat", () => {
  test("gives an action for each message of the assistant, with the answers of its tools", () => {
    const { turns, trajectory, problems } = single({ messages: chat });
    expect(problems).toEqual([]);
    expect(turns.map(({ text, thinking, turn, index }) => ({ text, thinking, turn, index }))).toEqual([
      { text: "", thinking: null, turn: 0, index: 0 },
      { text: "Sunny.", thinking: "It says sun.", turn: 1, index: 1 },
    ]);
    expect(turns[0]?.observation).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "What is the weather?" },
    ]);
    expect(turns[0]?.toolCalls).toMatchObject([
      { id: "c1", tool: "weather", input: "{}", stdout: "sun", status: "unknown", message: null },
      { id: "c2", tool: "clock", input: '{"zone":"UTC"}', stdout: "12:00" },
    ]);
    expect(turns[1]).toMatchObject({ observation: [], dependsOn: [turns[0]?.id], toolCalls: [] });
    expect(trajectory).toMatchObject({
      purpose: "import",
      agents: ["assistant"],
      outcome: { kind: "unknown", reward: null },
    });
    expect(trajectory.meta).toMatchObject({ format: "openai-chat", closing: [{ role: "user", content: "Thanks." }] });
  });

  test.each([
    ["a bare list of messages", chat, 1, 2],
    ["a list of chats", [{ messages: chat }, { messages: chat }], 2, 4],
    ["JSON lines", `${JSON.stringify({ messages: chat })}\n${JSON.stringify({ messages: chat.slice(0, 3) })}\n`, 2, 3],
    ["JSON lines of bare lists", `${JSON.stringify(chat)}\n\n${JSON.stringify(chat)}`, 2, 4],
    ["one line", `${JSON.stringify({ messages: chat })}\r\n`, 1, 2],
    [
      "lists of chats in lines",
      `${JSON.stringify([{ messages: chat }])}\n${JSON.stringify([{ messages: chat }])}`,
      2,
      4,
    ],
  ])("is read from %s", (_name, content, trajectories, actions) => {
    const result = read(content);
    expect(result.trajectories).toHaveLength(trajectories);
    expect(result.trajectories.flatMap((whole) => whole.actions)).toHaveLength(actions);
    expect(result.format).toBe("openai-chat");
  });

  test("with tools that answer without an id, or nobody at all, keeps what they said", () => {
    const { turns } = single([
      { role: "tool", content: "before anything" },
      { role: "assistant", content: "", function_call: { name: "old", arguments: "1" } },
      { role: "function", name: "old", content: "2" },
      { role: "tool", tool_call_id: "nobody", content: "lost and found" },
      { role: "assistant", name: "checker", content: "Done.", tool_calls: [call("c", "never", "")] },
    ]);
    expect(turns[0]?.observation).toEqual([{ role: "tool", content: "before anything" }]);
    expect(turns[0]?.toolCalls).toMatchObject([
      { tool: "old", input: "1", stdout: "2" },
      { id: "nobody", tool: "unknown", stdout: "lost and found" },
    ]);
    expect(turns[1]).toMatchObject({ agent: "checker", turn: 0 });
    expect(turns[1]?.toolCalls[0]).toMatchObject({ stdout: "", message: "The file has no answer to this call." });
  });
});

describe("tau-bench", () => {
  const run = { task_id: 7, reward: 1.0, trial: 3, info: { task: { instruction: "Book a flight." } }, traj: chat };

  test("keeps task, trial and reward", () => {
    const { trajectory, turns } = single([run]);
    expect(trajectory).toMatchObject({
      task: { id: "tau-bench-7", setName: "tau-bench", problem: "Book a flight." },
      sampleIndex: 3,
      outcome: { kind: "completed", reward: 1 },
      meta: { format: "tau-bench", task_id: 7, trial: 3, info: run.info },
    });
    expect(turns).toHaveLength(2);
  });

  test.each([
    ["is missing", undefined, []],
    ["is text", "1", ["The reward is not a number from 0 to 1; it was left out."]],
    ["is 5", 5, ["The reward is not a number from 0 to 1; it was left out."]],
  ])("without a reward that counts (it %s) leaves the outcome open", (_name, reward, messages) => {
    const { trajectory, problems } = single([{ ...run, reward }]);
    expect(trajectory.outcome).toMatchObject({ kind: "unknown", reward: null });
    expect(problems.map(({ message }) => message)).toEqual(messages);
  });

  test("written out as text becomes a chat again", () => {
    const shown = "user: Hi,\nassistant: not yet.\nassistant: None\ntool: {\n  1\n}\nassistant: Bye.\n\nSee you.\n";
    const { turns, trajectory } = single(`${JSON.stringify({ messages_display: shown })}\n`);
    expect(turns.map(({ text }) => text)).toEqual(["not yet.", "", "Bye.\n\nSee you."]);
    expect(turns[1]?.toolCalls).toMatchObject([{ tool: "unknown", stdout: "{\n  1\n}" }]);
    expect(trajectory.meta.format).toBe("tau-bench-few-shot");
  });
});

describe("Who&When", () => {
  const file = {
    question: "How many?",
    ground_truth: 8,
    is_corrected: false,
    question_ID: "q-1",
    mistake_agent: "WebSurfer",
    mistake_step: "2",
    mistake_reason: "It clicked elsewhere.",
    history: [
      { role: "human", content: "How many?" },
      { role: "Orchestrator (-> WebSurfer)", content: "Search." },
      { role: "WebSurfer", content: "I clicked." },
      { role: "Orchestrator (thought)", content: "Hm." },
    ],
  };

  test("takes the agent from the role, and the labels into the meta, not into scores", () => {
    const { turns, trajectory, problems, scores } = single(file);
    expect(turns.map(({ agent, role, turn }) => [agent, role, turn])).toEqual([
      ["Orchestrator", "Orchestrator (-> WebSurfer)", 0],
      ["WebSurfer", "WebSurfer", 0],
      ["Orchestrator", "Orchestrator (thought)", 1],
    ]);
    expect(turns[0]?.observation).toEqual([{ role: "user", content: "How many?", name: "human" }]);
    expect(trajectory).toMatchObject({
      task: { id: "q-1", problem: "How many?", answer: "8" },
      outcome: { kind: "completed", reward: 0 },
      meta: { gold: { agent: "WebSurfer", step: "2", reason: "It clicked elsewhere.", actionIndex: 1 } },
    });
    expect(scores).toEqual([]);
    expect(problems).toEqual([]);
  });

  test("takes the agent from the name, and each one's prompt into its first observation", () => {
    const { turns } = single({
      ...file,
      mistake_agent: "Expert",
      mistake_step: "0",
      system_prompt: { Expert: "You are an expert." },
      history: [
        { role: "assistant", name: "Expert", content: "Run this." },
        { role: "user", name: "Computer_terminal", content: "8" },
        { role: "assistant", name: "Expert", content: "TERMINATE" },
      ],
    });
    expect(turns.map(({ agent }) => agent)).toEqual(["Expert", "Computer_terminal", "Expert"]);
    expect(turns.map(({ observation }) => observation)).toEqual([
      [{ role: "system", content: "You are an expert." }],
      [],
      [],
    ]);
  });

  test.each([
    ["names another agent", { mistake_agent: "FileSurfer" }, "names FileSurfer, but entry 2 is by WebSurfer"],
    ["points at the human", { mistake_step: "0" }, "points at entry 0, which is no action"],
    ["points nowhere", { mistake_step: "soon" }, "points at entry soon, which is no action"],
    [
      "is not there",
      { mistake_agent: undefined, mistake_step: undefined, mistake_reason: undefined },
      "There is no gold label",
    ],
  ])("whose label %s is imported with a word about it", (_name, change, message) => {
    const { problems, turns } = single({ ...file, ...change });
    expect(turns).toHaveLength(3);
    expect(problems).toEqual([{ where: expect.any(String), message: expect.stringContaining(message) }]);
  });
});

describe("MAPPA's evaluation results", () => {
  const turn = (agent: string, index: number, output: string, reward: unknown, observation?: string) => ({
    turn_id: 0,
    agent_index: 0,
    agent_name: agent,
    agent_role: agent,
    agent_input: index === 0 ? `${agent} sees this` : "not to be trusted",
    agent_output: output,
    agent_reward: reward,
    metadata: {
      action_index: index,
      total_actions: 2,
      ...(observation === undefined ? {} : { observation, tools_used: { code: 1 } }),
    },
  });
  const file = {
    accuracy: 0.5,
    aggregated_metrics: {},
    metadata: [
      [
        {
          prompt: "1+1?",
          label: "2",
          final_reward: 8,
          outcome_score: 1,
          trajectory: [
            turn("agent_problem_solver", 0, "Two.", 7.5),
            turn("agent_code_executor", 0, "```python\n1+1\n```", 6, "2\n"),
            turn("agent_code_executor", 1, "It is 2.", 0),
            turn("agent_verifier", 0, "\\boxed{2}", null),
          ],
        },
      ],
      [
        { prompt: "1+1?", label: 2, final_reward: 0, trajectory: [], error: "The sandbox timed out." },
        "not a trajectory",
      ],
    ],
  };

  test("keep the coach's values as scores, and rebuild what an agent saw at its later turns", () => {
    const result = read(file);
    expect(result.format).toBe("mappa-evaluation");
    const [first, second] = result.trajectories;
    expect(first?.trajectory).toMatchObject({
      task: { problem: "1+1?", answer: "2" },
      sampleIndex: 0,
      outcome: { kind: "completed", reward: 1 },
      meta: { final_reward: 8 },
    });
    expect(first?.actions.map(({ scores }) => scores.map(({ value, source }) => [source, value]))).toEqual([
      [["coach", 7.5]],
      [["coach", 6]],
      [["coach", 0]],
      [["coach", null]],
    ]);
    expect(first?.actions[2]?.action).toMatchObject({
      agent: "agent_code_executor",
      turn: 1,
      observation: [
        { role: "user", content: "agent_code_executor sees this" },
        { role: "assistant", content: "```python\n1+1\n```" },
        { role: "tool", content: "2\n" },
      ],
    });
    expect(first?.actions[1]?.action.toolCalls).toMatchObject([{ tool: "code", stdout: "2\n" }]);
    expect(first?.actions[3]?.action.observation).toEqual([{ role: "user", content: "agent_verifier sees this" }]);
    expect(second?.trajectory).toMatchObject({
      sampleIndex: 1,
      outcome: { kind: "failed", reward: null, message: "The sandbox timed out." },
    });
    expect(result.problems.map(({ message }) => message)).toEqual([
      "The coach's value null is not a number from 0 to 10; the score is missing.",
      "This is not a trajectory; it was left out.",
    ]);
  });

  test("of the debug log keep the coach's words", () => {
    const { turns, scores, trajectory } = single({
      iteration: 0,
      trajectory_id: "ab12",
      timestamp: "2025-05-01T10:00:00",
      agents: [
        {
          agent_name: "agent_data_engineer",
          agent_role: "data",
          turn_idx: 0,
          agent_input: "Here is train.csv.",
          agent_output: "df.head()",
          tool_observation: "   id  x",
          files_available: [],
          coach: { prompt: "Judge.", response: "Good start. PROCESS_SCORE: 6", score: 6 },
        },
        {
          agent_name: "agent_modeler",
          agent_output: "fit",
          agent_input: "Go.",
          tool_observation: null,
          coach: { response: "??", score: "x" },
        },
      ],
    });
    expect(turns).toMatchObject([
      { agent: "agent_data_engineer", role: "data", toolCalls: [{ stdout: "   id  x" }] },
      { agent: "agent_modeler", toolCalls: [] },
    ]);
    expect(scores).toMatchObject([
      { value: 6, rationale: "Good start. PROCESS_SCORE: 6", missingReason: null },
      { value: null, rationale: "??", missingReason: "The file holds no value from 0 to 10." },
    ]);
    expect(trajectory.startedAt).toMatch(/^2025-0[45]-\d\dT/);
  });
});

describe("broken files", () => {
  const two = [{ messages: chat }, { messages: chat }];
  const whole = JSON.stringify(two);
  const lines = two.map((row) => JSON.stringify(row)).join("\n");
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(whole, "utf16le")]);
  test.each([
    ["cut in the second chat", whole.slice(0, -300), 1, "1 whole items were read"],
    ["cut in the only chat", JSON.stringify(two[0]).slice(0, -300), 1, "whole items were read"],
    ["cut at once", '{"messages": [{"role": "us', 0, "holds no whole item"],
    ["with stray text behind", `${JSON.stringify(two, null, 1)}\n}\nEOF`, 2, "stray text"],
    ["with a half last line", lines.slice(0, -10), 1, "half written"],
    [
      "with a broken line between",
      `${JSON.stringify(two[0])}\n{"messages": oops}\n${JSON.stringify(two[0])}`,
      2,
      "The line was left out",
    ],
    ["with comments and blank lines", `# log\r\n\r\n${lines}\r\n`, 2, "1 comment lines were left out"],
    [
      "with NaN",
      `[{"messages": ${JSON.stringify(chat)}, "loss": NaN, "top": -Infinity, "note": "NaN"}]`,
      1,
      "2 values that are not numbers",
    ],
    [
      "with a raw line break in a text",
      '{"messages":[{"role":"assistant","content":"a\nb"}]}',
      1,
      "1 control characters",
    ],
    [
      "with the same key twice",
      `{"messages": [], "messages": ${JSON.stringify(chat)}}`,
      1,
      "same key twice (messages)",
    ],
    ["with an unknown row", `[{"steps": 1}, ${JSON.stringify(two[0])}]`, 1, "It has the fields steps"],
    ["with rows that are no objects", `[null, 3, "x", ${JSON.stringify(two[0])}]`, 1, "It is not an object"],
    [
      "with messages that are none",
      `{"messages": [7, {"content": "x"}, ${JSON.stringify(chat[2])}]}`,
      1,
      "not a message with a role",
    ],
    [
      "with a role nobody knows",
      '[{"role":"oracle","content":"x"},{"role":"assistant","content":"y"}]',
      1,
      'The role "oracle" is not known',
    ],
    [
      "with an image",
      '[{"role":"user","content":[{"type":"image_url"}]},{"role":"assistant","content":"y"}]',
      1,
      "An image or other part",
    ],
    ["without an action", '[{"role":"user","content":"anyone?"}]', 1, "the trajectory has no action"],
    [
      "with a field of a megabyte",
      `{"messages":${JSON.stringify(chat)},"tools":"${"x".repeat(1_000_000)}"}`,
      1,
      "too long to keep all",
    ],
    [
      "with a task of a megabyte",
      `[{"role":"user","content":"${"x".repeat(1_000_000)}"},{"role":"assistant","content":"y"}]`,
      1,
      "first 20000 characters",
    ],
    ["empty", "", 0, "The file is empty"],
    ["blank", " \n\t\n", 0, "The file is empty"],
    ["an empty list", "[]", 0, "The file is empty"],
    ["prose", "Dear all,\nthis is a letter.", 0, "This is not JSON"],
    ["nested without end", `{"messages":${"[".repeat(1_000_000)}`, 0, "nested more than 2000 deep"],
    [
      "nested deep in a place nobody reads",
      `{"messages":${JSON.stringify(chat)},"x":${"[".repeat(1500)}${"]".repeat(1500)}}`,
      1,
      null,
    ],
    [
      "of wrong types",
      '{"history":{"role":1},"messages":"x","traj":[[]],"metadata":null}',
      0,
      "no format that is imported",
    ],
    [
      "with the history of one assistant",
      '{"history":[{"role":"assistant","content":"x"}],"trajectory":[]}',
      0,
      "fields history, trajectory",
    ],
    ["in UTF-16", utf16, 2, null],
    ["with a byte order mark", `\ufeff${whole}`, 2, null],
    [
      "with bytes that are no text",
      Buffer.concat([Buffer.from('[{"role":"assistant","content":"'), Buffer.from([0xff, 0xc0]), Buffer.from('"}]')]),
      1,
      "not clean UTF-8",
    ],
    ["packed", gzipSync(whole), 2, null],
    ["packed and cut", gzipSync(whole).subarray(0, 60), 0, "gzip file is damaged or cut"],
    ["an archive", Buffer.from("PK\u0003\u0004rest"), 0, "zip archive"],
    ["a picture", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13, 0, 0, 0, 0]), 0, "not a text file"],
    [
      "with lone surrogates and NUL",
      '[{"role":"assistant","name":"a\\u0000\\ud800b","content":"\\ud800 \\u0000"}]',
      1,
      null,
    ],
    ["that would reach into every object", `[{"role":"assistant","content":"x","__proto__":{"role":"user"}}]`, 1, null],
  ])("%s", (_name, content, count, message) => {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const result = importFile("file", bytes, "Imported", { at });
    expect(result.trajectories).toHaveLength(count);
    expect(result.run === null).toBe(count === 0);
    expect(result.problems.map((problem) => problem.message).join("\n")).toContain(message ?? "");
    if (message === null) expect(result.problems).toEqual([]);
    for (const { trajectory, actions } of result.trajectories) {
      Trajectory.parse(trajectory);
      expect(JSON.stringify(trajectory).length).toBeLessThan(64 * 1024);
      for (const { action, scores } of actions) {
        Action.parse(action);
        for (const score of scores) Score.parse(score);
      }
    }
  });

  test("that are too large are refused before they are read", () => {
    const huge = { length: 300 * 2 ** 20 } as Uint8Array;
    expect(importFile("huge", huge, "Imported").problems[0]?.message).toContain("at most 256 MB");
  });

  test("say the same thing about many lines once", () => {
    const { problems } = read(Array.from({ length: 500 }, () => '{"steps": 1}').join("\n"));
    expect(problems).toEqual([
      { where: "line 1; line 2; line 3 and 497 more", message: expect.stringContaining("steps") },
    ]);
  });
});

test("a second import of a file finds everything already there, also into another run", () => {
  const dir = mkdtempSync(path.join(tmpdir(), "import-"));
  const store = openStore(dir);
  const content = Buffer.from(JSON.stringify([{ messages: chat }, { messages: chat }, { messages: chat.slice(0, 3) }]));
  const once = importFile("a.json", content, "First", { at });
  const again = importFile("b.json", content, "Second", { at: new Date() });
  const elsewhere = importFile("c.json", content, "Third", { runId: "other", at });
  for (const { run } of [once, again, elsewhere]) if (run !== null) store.createRun(run);
  expect(store.addTrajectories(once.trajectories)).toEqual({ added: 3, duplicates: 0 });
  expect(store.addTrajectories(again.trajectories)).toEqual({ added: 0, duplicates: 3 });
  expect(store.addTrajectories(elsewhere.trajectories)).toEqual({ added: 0, duplicates: 3 });
  expect(
    store
      .runs({ cursor: null, limit: 9 })
      .items.map(({ name, trajectoryCount, actionCount }) => [name, trajectoryCount, actionCount]),
  ).toEqual([
    ["Third", 0, 0],
    ["First", 3, 5],
  ]);
  const [first] = store.trajectories({}, { cursor: null, limit: 1 }).items;
  expect(store.actions(first?.id ?? "", 0, 10)).toEqual(once.trajectories[2]?.actions.map(({ action }) => action));
  store.close();
  rmSync(dir, { recursive: true });
});
