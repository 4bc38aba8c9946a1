// How a score reads: its text, its band, and what a screen reader says.

/** The three bands of 0-10; each has a shape as well as a colour. */
export type Band = "low" | "middle" | "high" | "missing";

/** What a score chip is made from. */
export interface ChipFacts {
  readonly coach: number | null;
  readonly override: number | null;
  /** The person who overrode, where that is known. */
  readonly author: string | null;
  /** Blind-first review: the coach's score is covered. */
  readonly isCovered: boolean;
}

/** What a score chip shows. */
export interface Chip {
  readonly text: string;
  readonly initial: string;
  readonly band: Band;
  readonly label: string;
}

/** A score with one decimal at most; a dash where it is missing. */
export function scoreNumber(value: number | null): string {
  if (value === null) return "–";
  const rounded = Math.round(value * 10) / 10;
  return Object.is(rounded, -0) ? "0" : String(rounded);
}

/** The band of an effective score: low under 4, high from 7. */
export function bandOf(value: number | null): Band {
  if (value === null) return "missing";
  if (value < 4) return "low";
  return value < 7 ? "middle" : "high";
}

/** The chip of an action: `7`, `4 → 8` with the person's initial, a dash, or covered. */
export function chipOf(facts: ChipFacts): Chip {
  const initial = facts.override === null ? "" : (facts.author?.trim().at(0)?.toUpperCase() ?? "");
  if (facts.isCovered) {
    return { text: "", initial: "", band: "missing", label: "The coach's score is covered until you commit yours" };
  }
  if (facts.override !== null) {
    return {
      text: `${scoreNumber(facts.coach)} → ${scoreNumber(facts.override)}`,
      initial,
      band: bandOf(facts.override),
      label: `Score ${scoreNumber(facts.override)} of 10, overridden${facts.author === null ? "" : ` by ${facts.author}`}; the coach said ${facts.coach === null ? "nothing" : scoreNumber(facts.coach)}`,
    };
  }
  return {
    text: scoreNumber(facts.coach),
    initial: "",
    band: bandOf(facts.coach),
    label:
      facts.coach === null
        ? "No score: the coach's is missing"
        : `The coach's score is ${scoreNumber(facts.coach)} of 10`,
  };
}

/** An advantage with its sign and one decimal, the minus as a minus sign. */
export function signed(value: number | null): string {
  if (value === null) return "–";
  const text = Math.abs(value).toFixed(1);
  if (Number(text) === 0) return "0.0";
  return value < 0 ? `−${text}` : `+${text}`;
}

/** The consequence of an override: `advantage −0.8 → +0.4`, and whether its sign turns. */
export function consequenceText(before: number | null, after: number | null): { text: string; isFlip: boolean } {
  const isFlip = before !== null && after !== null && Math.sign(before) * Math.sign(after) < 0;
  return { text: `advantage ${signed(before)} → ${signed(after)}`, isFlip };
}
