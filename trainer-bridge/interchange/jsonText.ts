// JSON as people's tools really write it: read where it can be, with a word about everything that was mended or left out.

/** A value read from text, and what was mended. `value` is undefined where nothing could be read; `problems` then says why. */
export interface Reading {
  readonly value: unknown;
  readonly problems: readonly string[];
}

/** An open object or list while scanning. `wholeUntil`: where the last whole item of a list ends. */
interface Frame {
  readonly isList: boolean;
  keys: Set<string> | undefined;
  isKeyNext: boolean;
  wholeUntil: number;
  wholeCount: number;
}

interface Scan {
  /** Behind the first whole value; null where the text ends inside it. */
  end: number | null;
  stack: readonly Frame[];
  mends: { at: number; length: number; replacement: string }[];
  duplicateKeys: Set<string>;
}

/** No format nests deeper; a text that does was made to hurt. */
const DEEPEST = 2000;
const numbers = ["NaN", "-Infinity", "Infinity"];

/** Reads one JSON value. Not-a-number becomes null, stray text behind it is left out, and of a value that was cut the whole items are kept. */
export function readJson(text: string): Reading {
  const scan = scanned(text);
  if (scan.stack.length > DEEPEST)
    return {
      value: undefined,
      problems: [`Objects and lists are nested more than ${DEEPEST} deep, which no format that is imported does.`],
    };
  const problems: string[] = [];
  if (scan.duplicateKeys.size > 0) {
    const names = [...scan.duplicateKeys].slice(0, 5).map((key) => key.slice(0, 60));
    problems.push(`An object has the same key twice (${names.join(", ")}); the last value of each counts.`);
  }
  if (scan.end !== null) {
    const behind = text.slice(scan.end).trim().length;
    if (behind > 0) problems.push(`${behind} characters of stray text behind the end of the document were left out.`);
    return finished(mended(text, scan, scan.end), problems);
  }
  const depth = scan.stack.findIndex(({ isList, wholeCount }) => isList && wholeCount > 0);
  const frame = scan.stack[depth];
  if (frame === undefined)
    return { value: undefined, problems: ["The text ends in the middle and holds no whole item before that."] };
  const closing = scan.stack.slice(0, depth + 1).map(({ isList }) => (isList ? "]" : "}"));
  problems.push(
    `The file ends in the middle: ${frame.wholeCount} whole items were read, the one that was cut and all behind it are missing.`,
  );
  return finished(mended(text, scan, frame.wholeUntil) + closing.reverse().join(""), problems);

  function mended(from: string, { mends }: Scan, end: number): string {
    const used = mends.filter(({ at }) => at < end);
    if (used.length === 0) return from.slice(0, end);
    const nulls = used.filter(({ replacement }) => replacement === "null").length;
    if (nulls > 0) problems.push(`${nulls} values that are not numbers (NaN, Infinity) were read as missing.`);
    if (nulls < used.length)
      problems.push(`${used.length - nulls} control characters inside texts were read as they are.`);
    let result = "";
    let at = 0;
    for (const mend of used) {
      result += from.slice(at, mend.at) + mend.replacement;
      at = mend.at + mend.length;
    }
    return result + from.slice(at, end);
  }
}

function finished(text: string, problems: string[]): Reading {
  try {
    return { value: JSON.parse(text) as unknown, problems };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { value: undefined, problems: [`This is not JSON: ${error.message.slice(0, 200)}`] };
  }
}

/** One pass without recursion, so that no depth of nesting is too deep. It trusts the text; `JSON.parse` judges it afterwards. */
function scanned(text: string): Scan {
  const stack: Frame[] = [];
  const scan: Scan = { end: null, stack, mends: [], duplicateKeys: new Set() };
  const whole = (until: number) => {
    const parent = stack.at(-1);
    if (parent === undefined) scan.end = until;
    else if (parent.isList) {
      parent.wholeUntil = until;
      parent.wholeCount += 1;
    }
  };
  for (let at = 0; at < text.length && scan.end === null && stack.length <= DEEPEST; at += 1) {
    const sign = text.charAt(at);
    const frame = stack.at(-1);
    if (sign === '"') {
      const end = endOfString(text, at, scan);
      if (end === null) break;
      if (frame !== undefined && !frame.isList && frame.isKeyNext) {
        const key = text.slice(at + 1, end - 1);
        frame.keys ??= new Set();
        if (frame.keys.has(key)) scan.duplicateKeys.add(key);
        frame.keys.add(key);
        frame.isKeyNext = false;
      } else whole(end);
      at = end - 1;
    } else if (sign === "{" || sign === "[") {
      stack.push({ isList: sign === "[", keys: undefined, isKeyNext: sign === "{", wholeUntil: at + 1, wholeCount: 0 });
    } else if (sign === "}" || sign === "]") {
      stack.pop();
      whole(at + 1);
    } else if (sign === ",") {
      if (frame !== undefined && !frame.isList) frame.isKeyNext = true;
    } else if (!/[\s:]/.test(sign)) {
      const literal = numbers.find((name) => text.startsWith(name, at));
      if (literal !== undefined) scan.mends.push({ at, length: literal.length, replacement: "null" });
      let end = at + (literal?.length ?? 1);
      while (end < text.length && !/[\s,:\]}"[{]/.test(text.charAt(end))) end += 1;
      // A bare word or number at the very end may be cut.
      if (end < text.length || stack.length === 0) whole(end);
      at = end - 1;
    }
  }
  return scan;
}

/** Behind the closing quote; null where the text ends first. */
function endOfString(text: string, start: number, scan: Scan): number | null {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at += 1;
    else if (code < 0x20) scan.mends.push({ at, length: 1, replacement: `\\u${code.toString(16).padStart(4, "0")}` });
  }
  return null;
}
