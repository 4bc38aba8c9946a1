// The interval of a success rate: Wilson's, which stays inside 0-1 and honest for few rollouts.

/** A share with its 95 % interval. */
export interface Share {
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

const Z = 1.959964;

/** Wilson's score interval of `successes` out of `count`; null for none. */
export function wilson(successes: number, count: number): Share | null {
  if (count <= 0) return null;
  const rate = successes / count;
  const scale = 1 + Z ** 2 / count;
  const centre = (rate + Z ** 2 / (2 * count)) / scale;
  const half = (Z / scale) * Math.sqrt((rate * (1 - rate)) / count + Z ** 2 / (4 * count ** 2));
  return { rate, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
