// What a program may use before it is stopped.

/** Limits of one program; memory is that of all its processes together. */
export interface Limits {
  readonly wallMs: number;
  /** Seconds of processor time of one process. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  /** Processes and threads at once. */
  readonly processes: number;
  /** One file. */
  readonly fileBytes: number;
  /** All files in the workspace, and as much again in /tmp. */
  readonly diskBytes: number;
  /** Output in all; a program that prints more is ended. */
  readonly outputBytes: number;
}

const MB = 1024 * 1024;

/** The limits where nothing else is asked for. */
export const DEFAULT_LIMITS: Limits = {
  wallMs: 30_000,
  cpuSeconds: 20,
  memoryBytes: 2048 * MB,
  processes: 64,
  fileBytes: 16 * MB,
  diskBytes: 64 * MB,
  outputBytes: 8 * MB,
};

/** Bytes kept of stdout, and of stderr; of more than this the head and the tail are kept. */
export const KEPT_BYTES = MB;

/** The default limits with some replaced. */
export function limitsWith(some: Partial<Limits> | undefined): Limits {
  return { ...DEFAULT_LIMITS, ...some };
}
