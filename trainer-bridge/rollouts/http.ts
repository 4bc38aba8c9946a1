// One POST with JSON over kept-alive connections, without a time limit of its own: a long answer may take minutes.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** What came back; `retryAfterMs` is the server's wish, null where it has none. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
}

/** Sends JSON and reads the whole answer; rejects on transport errors, on an answer over the limit, and with the signal's reason. */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
) => Promise<Reply>;

const LARGEST_REPLY = 64 * 1024 * 1024;
const agentOptions = { keepAlive: true, keepAliveMsecs: 1000, maxSockets: 512, maxFreeSockets: 128, timeout: 0 };

/** A Post with its own connections. */
export function createPost(): Post {
  const plain = new HttpAgent(agentOptions);
  const secure = new HttpsAgent(agentOptions);
  return (url, headers, body, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const isSecure = url.startsWith("https:");
      const options = {
        method: "POST",
        agent: isSecure ? secure : plain,
        signal,
        headers: { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
      };
      const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : error);
      const request = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on("data", (chunk: Buffer) => {
          length += chunk.length;
          if (length > LARGEST_REPLY) request.destroy(new Error("the answer is over 64 MB"));
          else chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("aborted", () => fail(new Error("the connection was cut in the middle of the answer")));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: response.statusCode ?? 0,
            body: text,
            retryAfterMs: retryAfter(response.headers["retry-after"]),
          });
        });
      });
      request.on("error", fail);
      request.end(body);
    });
}

function retryAfter(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
