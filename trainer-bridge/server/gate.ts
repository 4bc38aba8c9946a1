// The gate of one connection: every frame that comes in or goes out is checked here before JSON-RPC sees it.
import type { Message } from "vscode-jsonrpc/node";
import { BridgeErrorCode } from "../../src/protocol/bridge.ts";
import { type Limits, tokenBucket } from "./limits.ts";

/** Numbers of JSON-RPC 2.0. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

/** What the gate needs of a WebSocket. */
export interface GateSocket {
  readonly bufferedAmount: number;
  send(text: string, sent: (error?: Error | null) => void): void;
  close(code: number, reason: string): void;
  pause(): void;
  resume(): void;
}

/** One connection's gate. */
export interface Gate {
  /** A frame from the client. */
  receive(data: Buffer, isBinary: boolean): void;
  /** A message to the client; resolves when it has left this machine. */
  send(message: Message): Promise<void>;
  /** Cancels what is under way; every request that waits gets this error and nothing more. */
  endAll(code: number, message: string): void;
  /** Requests not yet answered. */
  readonly pendingCount: number;
}

type Id = string | number;
type ErrorBody = { code: number; message: string; data?: unknown };

/** Opens the gate: `deliver` gets only well-formed messages, within the limits, for known methods. */
export function openGate(options: {
  socket: GateSocket;
  limits: Limits;
  methods: readonly string[];
  /** The error for a method that may not be called now, or null where it may. */
  refusal(method: string): ErrorBody | null;
  deliver(message: Message): void;
  log(message: string, error?: unknown): void;
}): Gate {
  const { socket, limits, methods, deliver, log } = options;
  const bucket = tokenBucket(limits.messagesPerSecond, () => performance.now());
  const known = new Set(methods);
  const pending = new Map<Id, string>();
  /** Answers written that have not left yet. */
  let leaving = 0;
  let malformed = 0;
  let isPaused = false;

  const write = (message: object): Promise<void> =>
    new Promise((resolve, reject) => {
      leaving += 1;
      socket.send(JSON.stringify(message), (error) => {
        leaving -= 1;
        if (isPaused && socket.bufferedAmount < limits.backlogBytes / 2) {
          isPaused = false;
          socket.resume();
        }
        if (error) reject(error);
        else resolve();
      });
      if (!isPaused && socket.bufferedAmount > limits.backlogBytes) {
        // A client that does not read is not read from either, so its answers cannot pile up.
        isPaused = true;
        socket.pause();
      }
    });
  const refuse = (id: Id | null, error: ErrorBody): void => {
    write({ jsonrpc: "2.0", id, error }).catch((failure: unknown) =>
      log("An error answer could not be sent.", failure),
    );
  };
  const reject = (id: Id | null, error: ErrorBody): void => {
    refuse(id, error);
    malformed += 1;
    if (malformed >= limits.malformed) socket.close(1008, "Too many messages that are not JSON-RPC 2.0.");
  };

  return {
    get pendingCount() {
      return pending.size;
    },

    receive(data, isBinary) {
      if (!bucket.take()) {
        const id = data.length > limits.messageBytes ? null : requestId(parse(data));
        const retryAfterMs = bucket.waitMs();
        return refuse(id, {
          code: BridgeErrorCode.tooBusy,
          message: `Over ${limits.messagesPerSecond} messages a second came from this client. Nothing was done; ask again in ${retryAfterMs} ms.`,
          data: { retryAfterMs },
        });
      }
      if (isBinary) {
        return reject(null, {
          code: INVALID_REQUEST,
          message: "A binary frame came. Send each JSON-RPC message as one text frame.",
        });
      }
      const message = parse(data);
      if (data.length > limits.messageBytes) {
        return refuse(requestId(message), {
          code: BridgeErrorCode.tooLarge,
          message: `A message of ${data.length} bytes came; the most is ${limits.messageBytes}. Nothing was done. Send larger bodies in chunks (import/chunk).`,
        });
      }
      if (message === undefined) {
        return reject(null, {
          code: PARSE_ERROR,
          message: "A frame is not JSON. Nothing was done; send one JSON-RPC 2.0 message in each text frame.",
        });
      }
      const fault = faultOf(message);
      if (fault !== null) return reject(requestId(message), { code: INVALID_REQUEST, message: fault });
      const checked = message as { method?: string; id?: Id; params?: unknown };
      const { method, id } = checked;
      if (method === undefined) return;
      if (id === undefined) {
        if (method === "$/cancelRequest" || method === "$/progress") deliver(message as Message);
        return;
      }
      const error = requestError(method, id, checked.params);
      if (error !== null) return refuse(error.code === INVALID_REQUEST ? null : id, error);
      pending.set(id, method);
      deliver({ ...checked, params: checked.params ?? {} } as unknown as Message);
    },

    async send(message) {
      const answer = message as { id?: Id | null; method?: string; result?: unknown };
      if (answer.method === "$/progress" && socket.bufferedAmount > limits.backlogBytes) return;
      if (answer.method !== undefined || answer.id === undefined || answer.id === null) return write(message);
      const method = pending.get(answer.id);
      if (method === undefined) return;
      pending.delete(answer.id);
      const length = Buffer.byteLength(JSON.stringify(message));
      if (length <= limits.messageBytes) return write(message);
      log(`The answer to ${method} has ${length} bytes and was not sent.`);
      return write({
        jsonrpc: "2.0",
        id: answer.id,
        error: {
          code: BridgeErrorCode.tooLarge,
          message: `The answer to ${method} has ${length} bytes; the most is ${limits.messageBytes}. Ask for a shorter page.`,
        },
      });
    },

    endAll(code, text) {
      for (const [id, method] of [...pending]) {
        pending.delete(id);
        deliver({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id } } as unknown as Message);
        refuse(id, { code, message: `${method}: ${text}` });
      }
    },
  };

  function requestError(method: string, id: Id, params: unknown): ErrorBody | null {
    if (pending.has(id)) {
      return {
        code: INVALID_REQUEST,
        message: `Request ${id} is still under way; each request needs an id of its own.`,
      };
    }
    if (!known.has(method)) {
      return {
        code: METHOD_NOT_FOUND,
        message: `There is no method "${method.slice(0, 100)}". The methods are ${methods.join(", ")}.`,
        data: { methods },
      };
    }
    const refusal = options.refusal(method);
    if (refusal !== null) return refusal;
    if (params !== undefined && params !== null && (typeof params !== "object" || Array.isArray(params))) {
      return { code: INVALID_PARAMS, message: `${method}: parameters must be one object, by name.` };
    }
    if (pending.size + leaving >= limits.inFlight) {
      return {
        code: BridgeErrorCode.tooBusy,
        message: `${limits.inFlight} requests of this client are under way. Nothing was done; wait for an answer and ask again.`,
        data: { retryAfterMs: 50 },
      };
    }
    return null;
  }
}

/** The value of a frame; undefined where it is not JSON. */
function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isId(value: unknown): value is Id {
  return (typeof value === "string" && value.length <= 200) || Number.isSafeInteger(value);
}

function requestId(message: unknown): Id | null {
  return typeof message === "object" && message !== null && "id" in message && isId(message.id) ? message.id : null;
}

/** Why a JSON value is no JSON-RPC 2.0 message; null where it is one. */
function faultOf(message: unknown): string | null {
  if (Array.isArray(message)) return "A batch came. Send each JSON-RPC message in a frame of its own.";
  if (typeof message !== "object" || message === null) return "A message must be a JSON object.";
  if (!("jsonrpc" in message) || message.jsonrpc !== "2.0") return 'A message must say "jsonrpc": "2.0".';
  const isAnswer = "result" in message || "error" in message;
  if (!("method" in message)) return isAnswer ? null : "A message must have a method.";
  if (typeof message.method !== "string") return "A method must be a string.";
  if ("id" in message && !isId(message.id))
    return "An id must be a whole number or a string of at most 200 characters.";
  return null;
}
