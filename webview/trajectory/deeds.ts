// What the Trajectory page does beyond showing: requests to the host, and what their answers do to the state.
import { BridgeErrorCode, ConflictData } from "../../src/protocol/bridge.ts";
import { effectiveScore } from "../../src/protocol/effective.ts";
import { ProtocolError } from "../../src/protocol/rpc.ts";
import type { trajectoryPageContract } from "../../src/protocol/webview.ts";
import type { Host } from "../host.ts";
import { Bodies } from "./bodies.ts";
import { type Draft, initialState, type Message, reduce, type State } from "./state.ts";

/** Quiet time before a consequence is asked for. */
const PREVIEW_DELAY_MS = 120;
/** Images kept, by hash. */
const MOST_IMAGES = 24;

/** The running page: its state and everything a view may do. */
export interface Page {
  state(): State;
  send(message: Message): void;
  subscribe(listener: () => void): void;
  /** Asks the host for everything from new. */
  load(): Promise<void>;
  wantBodies(from: number, to: number): void;
  edit(actionId: string, change: Partial<Draft>): void;
  save(actionId: string): Promise<void>;
  acceptCoach(actionId: string): Promise<void>;
  undo(actionId: string): Promise<void>;
  resolve(requestId: string, keep: "mine" | "theirs"): Promise<void>;
  openField(actionId: string, field: string): void;
  go(direction: "previous" | "next"): void;
  run(command: string): void;
  /** An image output as a data URL. */
  image(sha256: string, mime: string): Promise<string>;
}

/** Starts the page over an open wire and asks for its first snapshot. */
export function openPage(host: Host<typeof trajectoryPageContract>): Page {
  const { client } = host;
  const listeners: (() => void)[] = [];
  const images = new Map<string, Promise<string>>();
  let state = initialState;
  let isMarking = false;
  let isMarkWanted = false;
  let areFatesAsked = false;
  let previewTimer: ReturnType<typeof setTimeout> | undefined;

  const send = (message: Message) => {
    const before = state;
    state = reduce(state, message);
    if (state === before) return;
    if (state.selected !== before.selected || state.trajectory?.id !== before.trajectory?.id) {
      host.keep({ trajectoryId: state.trajectory?.id ?? null, selected: state.selected });
    }
    for (const listener of listeners) listener();
  };
  const notice = (error: unknown) => send({ type: "notice", text: messageOf(error) });
  const bodies = new Bodies({
    count: () => state.marks.length,
    has: (index) => state.bodies.has(index),
    size: () => state.bodies.size,
    ask: async (fromIndex, limit) => (await client.request("action/list", { fromIndex, limit })).items,
    arrived: (items) => send({ type: "bodies", items }),
    evict: (from, to) => send({ type: "evict", from, to }),
    failed: (error) => {
      if (state.connection.state === "connected") notice(error);
    },
  });

  async function load(): Promise<void> {
    try {
      const snapshot = await client.request("page/ready", {});
      bodies.restart();
      send({ type: "loaded", snapshot, selected: keptSelection(host.kept(), snapshot.trajectory?.id) });
      if (snapshot.trajectory !== null && snapshot.marks.length < snapshot.trajectory.actionCount)
        await loadMarks(false);
    } catch (error) {
      send({ type: "failed", error: messageOf(error) });
    }
  }

  async function loadMarks(isLive: boolean): Promise<void> {
    isMarkWanted = true;
    if (isMarking) return;
    isMarking = true;
    try {
      while (isMarkWanted) {
        isMarkWanted = false;
        const trajectoryId = state.trajectory?.id;
        const { marks, total } = await client.request("marks/get", { fromIndex: state.marks.length });
        if (state.trajectory?.id !== trajectoryId) continue;
        if (marks.length > 0) send({ type: "marks", marks, isLive });
        isMarkWanted ||= marks.length > 0 && state.marks.length < total;
      }
    } catch (error) {
      notice(error);
    } finally {
      isMarking = false;
    }
  }

  function loadFatesSoon(): void {
    if (areFatesAsked) return;
    areFatesAsked = true;
    setTimeout(() => {
      areFatesAsked = false;
      client.request("fates/get", {}).then((answer) => send({ type: "fates", fates: answer.fates }), notice);
    }, 500);
  }

  function loadPreviewSoon(actionId: string, value: number): void {
    clearTimeout(previewTimer);
    if (state.connection.state !== "connected") return;
    previewTimer = setTimeout(async () => {
      try {
        const answer = await client.request("override/preview", { actionId, value });
        if (state.drafts.get(actionId)?.value !== value) return;
        const { advantageBefore: before, advantageAfter: after, batchSize, message } = answer;
        send({ type: "draft", actionId, change: { preview: { value, before, after, batchSize, message } } });
      } catch (error) {
        // A consequence is a service: without it the override still works.
        console.warn("No consequence for this override.", error);
      }
    }, PREVIEW_DELAY_MS);
  }

  const bodyOf = (actionId: string) => [...state.bodies.values()].find((body) => body.action.id === actionId);

  async function write(actionId: string, value: number, rationale: string, basedOn: string | null): Promise<void> {
    send({ type: "draft", actionId, change: { isSaving: true, error: null } });
    try {
      const answer = await client.request("override/set", { actionId, value, rationale, basedOn });
      const { queued } = answer;
      if (answer.score !== null) send({ type: "scored", score: answer.score });
      if (queued !== null && !state.queued.some((item) => item.requestId === queued.requestId)) {
        send({ type: "queue", queued: [...state.queued, queued] });
      }
      if (answer.fate !== null) send({ type: "fate", fate: answer.fate });
      send({ type: "draftEnded", actionId, isCommitted: true });
    } catch (error) {
      const current = conflictOf(error);
      const change: Partial<Draft> = current
        ? { isSaving: false, conflict: current }
        : { isSaving: false, error: messageOf(error) };
      send({ type: "draft", actionId, change });
    }
  }

  client.on("connection/changed", (connection) => {
    const wasAway = state.connection.state !== "connected";
    send({ type: "connection", connection });
    if (wasAway && connection.state === "connected" && state.phase !== "loading") void load();
  });
  client.on("trajectory/shown", ({ trajectoryId }) => {
    if (trajectoryId !== state.trajectory?.id) send({ type: "loading" });
    void load();
  });
  client.on("event/batch", ({ events }) => {
    send({ type: "events", events });
    if (events.some((event) => event.kind === "action/added")) void loadMarks(true);
    const movesFates = events.some(
      (event) =>
        event.kind === "score/added" || event.kind === "checkpoint/published" || event.kind === "iteration/changed",
    );
    if (movesFates && state.fates.length > 0) loadFatesSoon();
  });
  client.on("queue/changed", ({ queued }) => send({ type: "queue", queued }));
  client.on("action/reveal", ({ actionId }) => send({ type: "reveal", actionId }));

  return {
    state: () => state,
    send,
    subscribe: (listener) => void listeners.push(listener),
    load,
    wantBodies: (from, to) => bodies.want(from, to),
    edit(actionId, change) {
      send({ type: "draft", actionId, change });
      if (typeof change.value === "number") loadPreviewSoon(actionId, change.value);
    },
    async save(actionId) {
      const draft = state.drafts.get(actionId);
      if (draft?.value == null || draft.isSaving) return;
      // After a conflict the person has seen the other score: it is what theirs is now based on.
      const seen = draft.conflict ?? effectiveScore(bodyOf(actionId)?.scores ?? []).effective;
      await write(actionId, draft.value, draft.rationale.trim(), seen?.id ?? null);
    },
    async acceptCoach(actionId) {
      const { coach, effective } = effectiveScore(bodyOf(actionId)?.scores ?? []);
      if (coach?.value == null) return;
      await write(actionId, coach.value, "Agrees with the coach.", effective?.id ?? null);
    },
    async undo(actionId) {
      const { override } = effectiveScore(bodyOf(actionId)?.scores ?? []);
      if (override === null) return;
      try {
        const { score } = await client.request("override/undo", { actionId, basedOn: override.id });
        if (score !== null) send({ type: "scored", score });
        loadFatesSoon();
      } catch (error) {
        notice(error);
      }
    },
    async resolve(requestId, keep) {
      try {
        const { score } = await client.request("override/resolve", { requestId, keep });
        if (score !== null) send({ type: "scored", score });
        send({ type: "queue", queued: state.queued.filter((item) => item.requestId !== requestId) });
        loadFatesSoon();
      } catch (error) {
        notice(error);
      }
    },
    openField: (actionId, field) => void client.request("action/open", { actionId, field }).catch(notice),
    go: (direction) => void client.request("trajectory/go", { direction }).catch(notice),
    run: (command) => void client.request("command/run", { command }).catch(notice),
    image(sha256, mime) {
      const known = images.get(sha256);
      if (known !== undefined) return known;
      const asked = client.request("blob/get", { sha256 }).then(({ base64 }) => `data:${mime};base64,${base64}`);
      asked.catch(() => images.delete(sha256));
      images.set(sha256, asked);
      const oldest = images.keys().next().value;
      if (images.size > MOST_IMAGES && oldest !== undefined) images.delete(oldest);
      return asked;
    },
  };
}

function keptSelection(kept: unknown, trajectoryId: string | undefined): number | null {
  if (typeof kept !== "object" || kept === null || !("trajectoryId" in kept) || !("selected" in kept)) return null;
  return kept.trajectoryId === trajectoryId && typeof kept.selected === "number" ? kept.selected : null;
}

function conflictOf(error: unknown) {
  if (!(error instanceof ProtocolError) || error.code !== BridgeErrorCode.conflict) return null;
  const data = ConflictData.safeParse(error.data);
  return data.success ? data.data.current : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
