// JSON-RPC messages over a WebSocket: one message is one text frame.
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";
import type { WebSocket } from "ws";

/** Reads one JSON-RPC message from each text frame; a frame that is none is reported and left out. */
export class SocketReader extends AbstractMessageReader implements MessageReader {
  private readonly socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
  }

  listen(callback: DataCallback): Disposable {
    const onMessage = (data: unknown, isBinary: boolean) => {
      try {
        if (isBinary) throw new Error("a binary frame");
        callback(messageIn(String(data)));
      } catch (cause) {
        this.fireError(
          new Error("The trainer sent something that is not a JSON-RPC message; it was ignored.", { cause }),
        );
      }
    };
    const onClose = () => this.fireClose();
    this.socket.on("message", onMessage);
    this.socket.on("close", onClose);
    return {
      dispose: () => {
        this.socket.off("message", onMessage);
        this.socket.off("close", onClose);
      },
    };
  }
}

/** Writes each JSON-RPC message as one text frame. */
export class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.socket = socket;
  }

  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()));
    });
  }

  end(): void {}
}

function messageIn(text: string): Message {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("jsonrpc" in value) || value.jsonrpc !== "2.0") {
    throw new Error("no jsonrpc 2.0 object");
  }
  return value as Message;
}
