// Where a session leads and why it could not be opened; apart from the session, so that activation loads no socket.

/** Where a trainer is and how to be let in. */
export interface Target {
  readonly url: string;
  readonly token: string;
}

/** Why a session could not be opened. Only `unreachable` is worth another attempt. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly reason: "unreachable" | "unauthorized" | "versionMismatch" | "badUrl" | "refused";
  constructor(reason: SessionError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
