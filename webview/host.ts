// The page's end of the page wire: JSON-RPC objects over postMessage, and the little state VS Code keeps for a page.
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
} from "vscode-jsonrpc/browser";
import { wireOf } from "../src/protocol/connection.ts";
import type { Contract } from "../src/protocol/contract.ts";
import { type Client, client } from "../src/protocol/rpc.ts";

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

class WindowReader extends AbstractMessageReader implements MessageReader {
  listen(callback: DataCallback): Disposable {
    const onMessage = (event: MessageEvent<unknown>) => {
      if (isRpcMessage(event.data)) callback(event.data);
    };
    window.addEventListener("message", onMessage);
    return { dispose: () => window.removeEventListener("message", onMessage) };
  }
}

class HostWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly api: VsCodeApi;
  constructor(api: VsCodeApi) {
    super();
    this.api = api;
  }
  async write(message: Message): Promise<void> {
    this.api.postMessage(message);
  }
  end(): void {}
}

function isRpcMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}

/** What a page has of its host: the typed client of its wire, and state that survives a reload of the page. */
export interface Host<C extends Contract> {
  readonly client: Client<C>;
  /** What the page kept with `keep`, or undefined. */
  kept(): unknown;
  keep(state: unknown): void;
}

/** Opens the wire to the extension host; may be called once in a page. */
export function openHost<C extends Contract>(contract: C): Host<C> {
  const api = acquireVsCodeApi();
  const connection = createMessageConnection(new WindowReader(), new HostWriter(api));
  const wire = wireOf(connection, { ResponseError, ProgressType }, (message, error) => console.error(message, error));
  connection.listen();
  return { client: client(wire, contract), kept: () => api.getState(), keep: (state) => api.setState(state) };
}
