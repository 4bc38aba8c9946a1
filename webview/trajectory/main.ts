// The Trajectory page: opens the wire and draws the state whenever it changes.
import "../policy.ts";
import "@vscode/codicons/dist/codicon.css";
import "katex/dist/katex.css";
import "../page.css";
import "../content/content.css";
import "./trajectory.css";
import { h, render } from "preact";
import { trajectoryPageContract } from "../../src/protocol/webview.ts";
import { watchFocus } from "../focus.ts";
import { openHost } from "../host.ts";
import { App } from "./app.tsx";
import { openPage } from "./deeds.ts";
import { isTyping, pressControlKey, pressKey } from "./keys.ts";
import { ViewportSignal } from "./viewport.ts";

const host = openHost(trajectoryPageContract);
const page = openPage(host);
const viewport = new ViewportSignal();
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no place to draw in.");

const draw = () => render(h(App, { state: page.state(), page, viewport }), root);
let isDrawing = false;
page.subscribe(() => {
  // Several messages of one turn are drawn once, before the next frame.
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    draw();
  });
});
host.client.on("key/pressed", ({ key }) => pressKey(page, key));
document.addEventListener("keydown", (event) => pressControlKey(page, event));
watchFocus(isTyping, (command) => void host.client.request("command/run", { command }).catch(() => undefined));
draw();
void page.load();
