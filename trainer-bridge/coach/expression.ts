// Reads and computes arithmetic as models write it, exactly and without running anything.
import { isSameRational, type Rational, rational } from "../../src/protocol/answer.ts";

/** An expression found in a text: where it stands, its exact value (null where there is none), and its numbers in order. */
export interface Expression {
  readonly text: string;
  readonly value: Rational | null;
  readonly numbers: readonly string[];
  readonly hasOperator: boolean;
}

const LONGEST = 400;
const LARGEST_BITS = 4096;
const CHUNK = /[-+*/%^()\d.,\s×·÷−]*\d[-+*/%^()\d.,\s×·÷−]*/g;

/** Every stretch of the text that reads as arithmetic with at least one operator, in order; broken ones have value null. */
export function expressionsIn(text: string): Expression[] {
  const found: Expression[] = [];
  for (const line of text.split("\n")) {
    for (const [chunk] of line.matchAll(CHUNK)) {
      const tidy = chunk.trim().replace(/^[,.\s]+|[,.\s]+$/g, "");
      if (tidy.length > LONGEST || !/\d\s*[-+*/%^×·÷−(]/.test(tidy)) continue;
      found.push(expression(tidy));
    }
  }
  return found;
}

/** The text as an expression; the value is exact, null where the text is no arithmetic. */
export function expression(text: string): Expression {
  const plain = text
    .replace(/[×·]/g, "*")
    .replace(/÷/g, "/")
    .replace(/−/g, "-")
    .replace(/\^/g, "**")
    .replace(/(\d),(?=\d{3}(?!\d))/g, "$1");
  return {
    text,
    value: plain.length > LONGEST ? null : evaluate(plain),
    numbers: [...plain.matchAll(/\d+(?:\.\d+)?/g)].map(([number]) => number),
    hasOperator: /\d\s*[-+*/%(]/.test(plain),
  };
}

/** The numbers of a text, thousands commas removed, as they are written. */
export function numbersIn(text: string): string[] {
  return [...text.replace(/(\d),(?=\d{3}(?!\d))/g, "$1").matchAll(/\d+(?:\.\d+)?/g)].map(([number]) => number);
}

/** Whether two multisets of numbers are the same, by value. */
export function isSameNumbers(left: readonly string[], right: readonly string[]): boolean {
  const sorted = (numbers: readonly string[]): string =>
    numbers
      .map(Number)
      .sort((a, b) => a - b)
      .join(" ");
  return sorted(left) === sorted(right);
}

/** Whether both are known and the same number. */
export function isSameValue(left: Rational | null, right: Rational | null): boolean {
  return left !== null && right !== null && isSameRational(left, right);
}

class NotArithmetic extends Error {}

/** A recursive-descent parser: sum := product (± product)*, product := power (*,/,//,% power)*, power := unary (** power)?, unary := ± unary | number | ( sum ). */
function evaluate(text: string): Rational | null {
  const tokens = text.match(/\d+(?:\.\d+)?|\.\d+|\*\*|\/\/|[-+*/%()]|\S/g) ?? [];
  let place = 0;
  const take = (...choices: string[]): string | null => {
    const token = tokens[place];
    if (token === undefined || !choices.includes(token)) return null;
    place++;
    return token;
  };
  const sum = (): Rational => {
    let left = product();
    for (let operator = take("+", "-"); operator !== null; operator = take("+", "-")) {
      const right = product();
      const top =
        operator === "+"
          ? left.top * right.over + right.top * left.over
          : left.top * right.over - right.top * left.over;
      left = checked(rational(top, left.over * right.over));
    }
    return left;
  };
  const product = (): Rational => {
    let left = unary();
    for (let operator = take("*", "/", "//", "%"); operator !== null; operator = take("*", "/", "//", "%")) {
      const right = unary();
      if (operator === "*") left = checked(rational(left.top * right.top, left.over * right.over));
      else {
        const ratio = checked(rational(left.top * right.over, left.over * right.top));
        const whole = floor(ratio);
        if (operator === "/") left = ratio;
        else if (operator === "//") left = { top: whole, over: 1n };
        else left = checked(rational(left.top * right.over - whole * right.top * left.over, left.over * right.over));
      }
    }
    return left;
  };
  // As in Python, -2 ** 2 is -(2 ** 2) and 2 ** -1 is a half.
  const unary = (): Rational => {
    const sign = take("+", "-");
    if (sign === null) return power();
    const value = unary();
    return sign === "-" ? { top: -value.top, over: value.over } : value;
  };
  const power = (): Rational => {
    const base = atom();
    if (take("**") === null) return base;
    const exponent = unary();
    if (exponent.over !== 1n || exponent.top > 64n || exponent.top < -64n) throw new NotArithmetic();
    const size = exponent.top < 0n ? -exponent.top : exponent.top;
    const [top, over] = [base.top ** size, base.over ** size];
    return checked(exponent.top < 0n ? rational(over, top) : rational(top, over));
  };
  const atom = (): Rational => {
    if (take("(") !== null) {
      const inner = sum();
      if (take(")") === null) throw new NotArithmetic();
      return inner;
    }
    const token = tokens[place++];
    if (token === undefined || !/^(?:\d+(?:\.\d+)?|\.\d+)$/.test(token)) throw new NotArithmetic();
    const [whole = "", digits = ""] = token.split(".");
    return checked(rational(BigInt(`${whole}${digits}`), 10n ** BigInt(digits.length)));
  };
  try {
    const value = sum();
    return place === tokens.length ? value : null;
  } catch (error) {
    if (error instanceof NotArithmetic) return null;
    throw error;
  }
}

function checked(value: Rational | null): Rational {
  if (value === null || value.top.toString(2).length > LARGEST_BITS || value.over.toString(2).length > LARGEST_BITS)
    throw new NotArithmetic();
  return value;
}

function floor(value: Rational): bigint {
  const quotient = value.top / value.over;
  return value.top % value.over !== 0n && value.top < 0n ? quotient - 1n : quotient;
}
