// The Training page: opens the wire, asks for its snapshot, and draws the state whenever it changes.
import "../policy.ts";
import "@vscode/codicons/dist/codicon.css";
import "../page.css";
import "./training.css";
import { h, render } from "preact";
import { trainingPageContract } from "../../src/protocol/webview.ts";
import { openHost } from "../host.ts";
import { App, type Deeds } from "./app.tsx";
import { initialState, type Message, reduce } from "./state.ts";

const { client } = openHost(trainingPageContract);
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no place to draw in.");
let state = initialState;
let isDrawing = false;

function send(message: Message): void {
  const next = reduce(state, message);
  if (next === state) return;
  state = next;
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    draw();
  });
}

const notice = (error: unknown) => send({ type: "notice", text: messageOf(error) });

async function load(): Promise<void> {
  try {
    send({ type: "loaded", ...(await client.request("page/ready", {})) });
  } catch (error) {
    send({ type: "failed", error: messageOf(error) });
  }
}

const deeds: Deeds = {
  load: () => void load(),
  choose: (runId) =>
    void client
      .request("run/select", { runId })
      .then(({ iterations }) => send({ type: "chosen", runId, iterations }), notice),
  run: (command) => void client.request("command/run", { command }).catch(notice),
  show: (iterationId) => void client.request("iteration/show", { iterationId }).catch(notice),
  point: (index) => send({ type: "point", index }),
  dismiss: () => send({ type: "notice", text: null }),
};

function draw(): void {
  if (root !== null) render(h(App, { state, deeds }), root);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

client.on("connection/changed", (connection) => {
  const isBack = connection.state === "connected" && state.connection.state !== "connected";
  send({ type: "connection", connection });
  if (isBack && state.phase !== "loading") void load();
});
client.on("iteration/changed", (iteration) => send({ type: "iteration", iteration }));
client.on("run/changed", (run) => {
  const isFirst = state.runId === null && run.kind === "training";
  send({ type: "run", run });
  if (isFirst) deeds.choose(run.id);
});
client.on("status/changed", (status) => send({ type: "status", status }));
draw();
void load();
