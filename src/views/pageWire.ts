// The host's end of the page wire: JSON-RPC objects over postMessage.

import type * as vscode from "vscode";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
  type MessageWriter,
  ProgressType,
  ResponseError,
} from "vscode-jsonrpc/node";
import { errorLine, type Log } from "../log.ts";
import { wireOf } from "../protocol/connection.ts";
import type { Contract } from "../protocol/contract.ts";
import { announce, answer, type Handlers } from "../protocol/rpc.ts";

class PageReader extends AbstractMessageReader implements MessageReader {
  private readonly webview: vscode.Webview;
  constructor(webview: vscode.Webview) {
    super();
    this.webview = webview;
  }
  listen(callback: DataCallback): Disposable {
    return this.webview.onDidReceiveMessage((value: unknown) => {
      if (isMessage(value)) callback(value);
    });
  }
}

class PageWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly webview: vscode.Webview;
  constructor(webview: vscode.Webview) {
    super();
    this.webview = webview;
  }
  async write(message: Message): Promise<void> {
    await this.webview.postMessage(message);
  }
  end(): void {}
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}

/** Answers a page's requests; `tell` announces to it. Everything ends with `dispose`. */
export function openPageWire<C extends Contract>(
  webview: vscode.Webview,
  contract: C,
  handlers: Handlers<C>,
  log: Log,
) {
  const connection = createMessageConnection(new PageReader(webview), new PageWriter(webview));
  const wire = wireOf(connection, { ResponseError, ProgressType }, (message, error) =>
    log.error(`page: ${message}: ${errorLine(error)}`),
  );
  const answers = answer(wire, contract, handlers);
  connection.listen();
  return {
    tell: announce(wire, contract),
    dispose: () => {
      answers.dispose();
      connection.dispose();
    },
  };
}
