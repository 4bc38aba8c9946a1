// The extension is there and starts.
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { test } from "./testing.ts";

test("the extension is installed and activates", async () => {
  const extension = vscode.extensions.getExtension("touchline.touchline");
  assert.ok(extension, "touchline.touchline is not installed");
  await extension.activate();
  assert.equal(extension.isActive, true);
});
