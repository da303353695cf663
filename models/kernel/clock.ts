/** Time is an integer count of picoseconds; a clock's k-th edge is floor(k x period), its period an exact fraction. */

const picosecondsPerSecond = 1e12;

/** Numbers per unit, kept as a reduced fraction so that repeated steps never drift. */
export class Ratio {
  readonly numerator: number;
  readonly denominator: number;
  /** Whether (denominator - 1) x numerator and its converse stay exact in doubles; if not, BigInt does the division. */
  readonly #small: boolean;

  /** @throws RangeError unless both are positive integers. */
  constructor(numerator: number, denominator: number) {
    if (!isPositiveInteger(numerator) || !isPositiveInteger(denominator)) {
      throw new RangeError(`a ratio needs positive integers, got ${numerator}/${denominator}`);
    }
    const divisor = greatestCommonDivisor(numerator, denominator);
    this.numerator = numerator / divisor;
    this.denominator = denominator / divisor;
    this.#small = this.numerator * this.denominator <= Number.MAX_SAFE_INTEGER;
  }

  /** floor(n x ratio), exact for any non-negative safe integer whose result is one too. */
  floorOf(n: number): number {
    return this.#small ? scaleDown(n, this.numerator, this.denominator) : bigFloor(n, this.numerator, this.denominator);
  }

  /** ceil(n x ratio). */
  ceilOf(n: number): number {
    return this.#small ? scaleUp(n, this.numerator, this.denominator) : bigCeil(n, this.numerator, this.denominator);
  }

  /** floor(n / ratio). */
  floorInto(n: number): number {
    return this.#small ? scaleDown(n, this.denominator, this.numerator) : bigFloor(n, this.denominator, this.numerator);
  }

  /** ceil(n / ratio). */
  ceilInto(n: number): number {
    return this.#small ? scaleUp(n, this.denominator, this.numerator) : bigCeil(n, this.denominator, this.numerator);
  }
}

export class Clock {
  readonly name: string;
  readonly hertz: number;
  /** Picoseconds per cycle. */
  readonly period: Ratio;

  /** @throws RangeError unless `hertz` is a positive integer of at most 1 THz, the resolution of time. */
  constructor(name: string, hertz: number, period = new Ratio(picosecondsPerSecond, hertz)) {
    if (hertz > picosecondsPerSecond) throw new RangeError(`clock ${name} is faster than 1 THz`);
    this.name = name;
    this.hertz = hertz;
    this.period = period;
  }

  /** A clock that is known by its picoseconds per cycle; its hertz may be a fraction. */
  static ofPeriod(name: string, period: Ratio): Clock {
    return new Clock(name, (picosecondsPerSecond * period.denominator) / period.numerator, period);
  }

  /** Picoseconds at which cycle k begins. */
  edge(k: number): number {
    return this.period.floorOf(k);
  }

  /** The first cycle that begins at or after a time in picoseconds. */
  cycleAtOrAfter(ps: number): number {
    // edge(k) >= ps  <=>  floor(k x period) >= ps  <=>  k x period >= ps, since ps is an integer
    return this.period.ceilInto(ps);
  }
}

function scaleDown(n: number, multiplier: number, divisor: number): number {
  const whole = Math.floor(n / divisor);
  return whole * multiplier + Math.floor(((n - whole * divisor) * multiplier) / divisor);
}

function scaleUp(n: number, multiplier: number, divisor: number): number {
  const whole = Math.floor(n / divisor);
  return whole * multiplier + Math.ceil(((n - whole * divisor) * multiplier) / divisor);
}

function bigFloor(n: number, multiplier: number, divisor: number): number {
  return Number((BigInt(n) * BigInt(multiplier)) / BigInt(divisor));
}

function bigCeil(n: number, multiplier: number, divisor: number): number {
  const d = BigInt(divisor);
  return Number((BigInt(n) * BigInt(multiplier) + d - 1n) / d);
}

function isPositiveInteger(n: number): boolean {
  return Number.isSafeInteger(n) && n > 0;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
