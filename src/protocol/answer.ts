// What a text gives as its answer, and whether two answers are the same number: exact, strict, nothing is guessed.

/** An exact fraction; `over` is positive and shares no factor with `top`. */
export interface Rational {
  readonly top: bigint;
  readonly over: bigint;
}

/** Longer answers are compared as text: exact arithmetic on them could be made to take for ever. */
const LONGEST_NUMBER = 200;

/** The fraction top/over in lowest terms; null where `over` is 0. */
export function rational(top: bigint, over = 1n): Rational | null {
  if (over === 0n) return null;
  let a = top < 0n ? -top : top;
  let b = over < 0n ? -over : over;
  while (b > 0n) [a, b] = [b, a % b];
  const divisor = (over < 0n ? -1n : 1n) * (a === 0n ? 1n : a);
  return { top: top / divisor, over: over / divisor };
}

/** Whether two fractions are the same number. */
export function isSameRational(left: Rational, right: Rational): boolean {
  return left.top === right.top && left.over === right.over;
}

/** A fraction as people write it: `12`, `-3/4`. */
export function rationalText(value: Rational): string {
  return value.over === 1n ? String(value.top) : `${value.top}/${value.over}`;
}

/** What stands in the last `\boxed{…}` whose braces close; null where there is none. */
export function boxedAnswer(text: string): string | null {
  for (
    let start = text.lastIndexOf("\\boxed{");
    start >= 0;
    start = start === 0 ? -1 : text.lastIndexOf("\\boxed{", start - 1)
  ) {
    const from = start + "\\boxed{".length;
    let depth = 1;
    for (let place = from; place < text.length; place++) {
      const character = text[place];
      if (character === "\\") place++;
      else if (character === "{") depth++;
      else if (character === "}" && --depth === 0) return text.slice(from, place).trim();
    }
  }
  return null;
}

/** The number an answer is: whole, decimal (`142.0`, `.5`, `1e3`), with thousands commas, or a fraction (`3/4`, `\frac{3}{4}`); else null. */
export function answerNumber(answer: string): Rational | null {
  const text = tidied(answer);
  if (text.length === 0 || text.length > LONGEST_NUMBER) return null;
  const fraction = /^([+-]?)\\frac\{([^{}]+)\}\{([^{}]+)\}$/.exec(text) ?? /^([+-]?)\\frac(\d)(\d)$/.exec(text);
  if (fraction !== null) return quotient(`${fraction[1] ?? ""}${fraction[2] ?? ""}`, fraction[3] ?? "");
  const slash = text.split("/");
  if (slash.length === 2) return quotient(slash[0] ?? "", slash[1] ?? "");
  return decimal(text);
}

/** Whether an answer is the ground truth: as exact numbers where both are numbers, else as the same text. */
export function isSameAnswer(answer: string, truth: string): boolean {
  const left = answerNumber(answer);
  const right = answerNumber(truth);
  if (left !== null && right !== null) return isSameRational(left, right);
  return left === null && right === null && tidied(answer) !== "" && tidied(answer) === tidied(truth);
}

function quotient(top: string, over: string): Rational | null {
  const left = decimal(top);
  const right = decimal(over);
  return left === null || right === null ? null : rational(left.top * right.over, left.over * right.top);
}

function decimal(text: string): Rational | null {
  const match = /^([+-]?)(\d+|\d{1,3}(?:,\d{3})+|(?=\.\d))(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (match === null) return null;
  const [, sign = "", whole = "", digits = "", exponent = "0"] = match;
  const top = BigInt(`${whole.replaceAll(",", "")}${digits}` || "0") * (sign === "-" ? -1n : 1n);
  const power = Number(exponent) - digits.length;
  return power >= 0 ? rational(top * 10n ** BigInt(power)) : rational(top, 10n ** BigInt(-power));
}

/** The answer without what only dresses it: dollar signs, blanks, `\left`, `\text{…}`, a final full stop. */
function tidied(answer: string): string {
  return answer
    .replace(/−/g, "-")
    .replace(/\\[dt]frac/g, "\\frac")
    .replace(/\\(?:left|right|,|!|;|:)/g, "")
    .replace(/\{,\}/g, ",")
    .replace(/\\text\s*\{[^{}]*\}\s*$/, "")
    .replace(/\\?\$/g, "")
    .replace(/\s+/g, "")
    .replace(/\.$/, "");
}
