// What a policy could write to break the page; every row must show as text or not at all, and run nothing.
import type { ActionView } from "../../src/protocol/bridge.ts";
import { AGENTS, action, type MadeTrajectory, output, score, toolCall, trajectoryOf } from "./teamData.ts";

/** Markdown that tries to run something, load something or look like the page. `window.hacked` is what a success would set. */
export const HOSTILE_MARKDOWN: readonly string[] = [
  "<script>window.hacked=1</script>",
  '<img src=x onerror="window.hacked=1">',
  "<svg onload=window.hacked=1><path d=M0/></svg>",
  "[a link](javascript:window.hacked=1)",
  "[a link](JaVaScRiPt&colon;window.hacked=1)",
  "[a link](data:text/html,<script>window.hacked=1</script>)",
  "[a link](vbscript:x) [b](command:workbench.action.terminal.new) [c](vscode://x)",
  "![tracked](https://tracker.example/pixel.png)",
  "![tracked](data:image/svg+xml;base64,PHN2Zy8+)",
  '<iframe src="https://tracker.example"></iframe><object data=x></object><embed src=x>',
  "<style>body{display:none}</style><link rel=stylesheet href=https://tracker.example/a.css>",
  '<div style="position:fixed;inset:0;background:url(https://tracker.example/b)">over everything</div>',
  "<form action=https://tracker.example><input name=q><button>send</button></form>",
  "$\\href{javascript:window.hacked=1}{x}$ $\\url{javascript:window.hacked=1}$",
  "$\\includegraphics{https://tracker.example/c.png}$",
  "$\\htmlStyle{position:fixed;top:0}{x}$ $\\htmlId{root}{x}$ $\\htmlData{style=x}{y}$",
  "$\\rule{1000em}{1000em}$ $\\def\\a{\\a\\a}\\a$",
  "$\\text{<img src=x onerror=window.hacked=1>}$",
  "$$\\unicode{x3c}script\\unicode{x3e}$$",
  "`<img src=x onerror=window.hacked=1>`",
  "```html\n<script>window.hacked=1</script>\n```",
  "```python\"><script>window.hacked=1</script>\nprint('<script>window.hacked=1</script>')\n```",
  "| a | b |\n|---|---|\n| <img src=x onerror=window.hacked=1> | [x](javascript:window.hacked=1) |",
  "&lt;script&gt;window.hacked=1&lt;/script&gt;",
  '<a href="https://ok.example" onclick="window.hacked=1">x</a> <https://ok.example/?q=<script>>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">',
  '<base href=https://tracker.example/><meta http-equiv=refresh content="0;url=https://tracker.example">',
  "[ref]\n\n[ref]: javascript:window.hacked=1",
  "www.ok.example and javascript:window.hacked=1",
  `${"[".repeat(3000)}`,
  `${"*a ".repeat(2000)}`,
];

const hostileSvg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20" onload="window.hacked=1"><script>window.hacked=1;parent.hacked=1</script><image href="https://tracker.example/d.png" width="9" height="9"/><text y="15">a picture</text></svg>`;

/** A trajectory whose every field is hostile. */
export function hostileTrajectory(): MadeTrajectory {
  const bad = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>";
  const views: ActionView[] = HOSTILE_MARKDOWN.map((text, index) => ({
    action: action(index, AGENTS[index % 3] ?? "", text, {
      thinking: text,
      policyVersion: bad,
      observation: [{ role: "user", content: bad, name: bad }],
    }),
    scores: [
      score(`a${index}`, 5, `${bad} reason`, {
        author: bad,
        tags: [bad],
        evidence: [{ source: "text", toolCallId: null, lineFrom: 1, lineTo: 1, quote: bad }],
      }),
    ],
    cut: {},
  }));
  const index = views.length;
  views.push({
    action: action(index, AGENTS[1] ?? "", "tool call", {
      toolCalls: [
        toolCall("bad", {
          tool: bad,
          language: "python",
          input: `print("${bad}")\n# </span><script>window.hacked=1</script>`,
          message: bad,
          status: "error",
          stdout: `${bad}\n\u001b[31m${bad}\u001b[0m\n\u001b]8;;javascript:window.hacked=1\u0007click\u001b]8;;\u0007\n\u001b[38;5;300m\u001b[48;2;1;2;3mx`,
          stderr: `${"y".repeat(1_000_000)}\n${bad}`,
          outputs: [
            output(
              "text/html",
              `<table onclick="window.hacked=1" style="background:url(https://tracker.example/e)"><tr><th>${bad}</th></tr><tr><td><img src=x onerror=window.hacked=1>cell<script>window.hacked=1</script></td></tr></table>`,
            ),
            output(
              "text/html",
              `<p>no table</p><script>window.hacked=1</script><iframe srcdoc="<script>parent.hacked=1</script>"></iframe><svg><style>*{display:none}</style></svg>`,
            ),
            output("image/svg+xml", hostileSvg),
            output("image/png", "bm90IGEgcGljdHVyZQ=="),
            output("application/json", JSON.stringify({ [bad]: bad, __proto__x: [bad] })),
            output("application/json", `{"__proto__":{"hacked":1},"deep":${"[".repeat(500)}${"]".repeat(500)}}`),
            output("text/markdown", HOSTILE_MARKDOWN.slice(0, 12).join("\n\n")),
            output("application/javascript", "window.hacked=1"),
            output("text/csv", `a,b\n"${bad}",2\n`),
          ],
          filesAfter: [{ name: `../../${bad}`, sizeBytes: 1, sha256: bad }],
        }),
      ],
    }),
    scores: [],
    cut: {},
  });
  return trajectoryOf(views, {
    title: bad,
    task: { id: bad, setName: bad, problem: `${bad}\n\n${HOSTILE_MARKDOWN[3]}`, answer: bad, meta: {} },
    outcome: { kind: "failed", reward: null, answer: bad, boundary: "tool", message: bad },
  });
}
