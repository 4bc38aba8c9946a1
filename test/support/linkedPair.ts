// Two ends of a JSON-RPC connection joined in memory, each message through JSON as on a real wire.
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Message,
  type MessageConnection,
  type MessageWriter,
  ProgressType,
  ResponseError,
} from "vscode-jsonrpc/node";
import { wireOf } from "../../src/protocol/connection.ts";
import type { Wire } from "../../src/protocol/rpc.ts";

class LinkedReader extends AbstractMessageReader {
  #deliver: DataCallback = () => undefined;
  listen(callback: DataCallback): { dispose(): void } {
    this.#deliver = callback;
    return { dispose: () => undefined };
  }
  deliver(text: string): void {
    this.#deliver(JSON.parse(text));
  }
}

class LinkedWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #other: LinkedReader;
  constructor(other: LinkedReader) {
    super();
    this.#other = other;
  }
  async write(message: Message): Promise<void> {
    const text = JSON.stringify(message);
    setImmediate(() => this.#other.deliver(text));
  }
  end(): void {}
}

/** Both ends of a linked pair, and what each of them logged. */
export interface LinkedPair {
  readonly left: Wire;
  readonly right: Wire;
  readonly leftConnection: MessageConnection;
  readonly rightConnection: MessageConnection;
  readonly logged: string[];
  dispose(): void;
}

/** Makes a linked pair; `right` answers, `left` asks, by custom. */
export function linkedPair(): LinkedPair {
  const readers = [new LinkedReader(), new LinkedReader()] as const;
  const leftConnection = createMessageConnection(readers[0], new LinkedWriter(readers[1]));
  const rightConnection = createMessageConnection(readers[1], new LinkedWriter(readers[0]));
  leftConnection.listen();
  rightConnection.listen();
  const logged: string[] = [];
  const log = (message: string) => logged.push(message);
  return {
    left: wireOf(leftConnection, { ResponseError, ProgressType }, log),
    right: wireOf(rightConnection, { ResponseError, ProgressType }, log),
    leftConnection,
    rightConnection,
    logged,
    dispose() {
      leftConnection.dispose();
      rightConnection.dispose();
    },
  };
}
