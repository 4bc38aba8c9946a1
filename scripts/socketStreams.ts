// A WebSocket as the reader and writer of a JSON-RPC connection.
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";
import type { WebSocket } from "ws";

class SocketReader extends AbstractMessageReader implements MessageReader {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }
  listen(callback: DataCallback) {
    const onMessage = (data: unknown) => callback(JSON.parse(String(data)));
    const onClose = () => this.fireClose();
    this.#socket.on("message", onMessage);
    this.#socket.on("close", onClose);
    return {
      dispose: () => {
        this.#socket.off("message", onMessage);
        this.#socket.off("close", onClose);
      },
    };
  }
}

class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }
  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    });
  }
  end(): void {}
}

/** Each JSON-RPC message is one text frame. */
export function socketStreams(socket: WebSocket): { reader: MessageReader; writer: MessageWriter } {
  return { reader: new SocketReader(socket), writer: new SocketWriter(socket) };
}
