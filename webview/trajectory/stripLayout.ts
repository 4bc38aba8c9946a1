// Where each mark of the reward strip stands: from marks and a width to bars, one or several actions a bar.
import type { ActionMark } from "../../src/protocol/bridge.ts";

/** One bar of the strip; where several actions share it, it shows the mean of their coach's scores. Scores 0-10. */
export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly lane: number;
  readonly coach: number | null;
  readonly override: number | null;
  /** Whether the action (or each of them) has no score at all. */
  readonly isMissing: boolean;
  /** How many actions with a coach's score share the bar. */
  readonly scoredCount: number;
}

/** Pixels from one action to the next: as the width allows, but a short trajectory is not stretched. */
export function pitchOf(count: number, width: number): number {
  return count === 0 ? 0 : Math.min(18, width / count);
}

/** Bars of all lanes. `lanes` are the agents in order; `isCovered` hides the coach's value (blind-first review). */
export function stripBars(
  marks: readonly ActionMark[],
  lanes: readonly string[],
  width: number,
  isCovered: (mark: ActionMark) => boolean,
): Bar[] {
  const pitch = pitchOf(marks.length, width);
  const gap = pitch >= 4 ? 1 : 0;
  const shared = new Map<number, Bar>();
  for (const mark of marks) {
    const lane = Math.max(0, lanes.indexOf(mark.agent));
    const column = pitch >= 2 ? mark.index : Math.floor((mark.index * pitch) / 2);
    const key = column * lanes.length + lane;
    const before = shared.get(key);
    const coach = isCovered(mark) ? null : mark.coach;
    const scored = before?.scoredCount ?? 0;
    shared.set(key, {
      x: pitch >= 2 ? mark.index * pitch : column * 2,
      width: Math.max(1, Math.max(pitch, 2) - gap),
      lane,
      coach: coach === null ? (before?.coach ?? null) : ((before?.coach ?? 0) * scored + coach) / (scored + 1),
      scoredCount: coach === null ? scored : scored + 1,
      override: mark.override ?? before?.override ?? null,
      isMissing: (before?.isMissing ?? true) && mark.coach === null && mark.override === null,
    });
  }
  return [...shared.values()];
}

/** The action under a point of the strip. */
export function indexAtPoint(x: number, count: number, width: number): number {
  const pitch = pitchOf(count, width);
  return Math.max(0, Math.min(count - 1, Math.floor(x / pitch)));
}
