/**
 * Time is an integer count of units of a machine's own; a clock's k-th edge is floor(k x period), its period an exact
 * fraction of units.
 */

/** Units per second where periods need not be whole units: a unit is a picosecond. */
export const picosecondsPerSecond = 1e12;

/**
 * Units per second in which the edges of all these clocks (hertz) are whole: with one clock, a unit is its cycle.
 * Picoseconds where that would be finer than they are.
 */
export function unitsPerSecond(hertz: readonly number[]): number {
  const common = hertz.reduce((least, hz) => (least / greatestCommonDivisor(least, hz)) * hz, 1);
  return common <= picosecondsPerSecond ? common : picosecondsPerSecond;
}

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
  /** Resolution of time. */
  readonly unitsPerSecond: number;
  /** Units per cycle. */
  readonly period: Ratio;
  /** Whether a cycle is a unit. */
  readonly #isUnit: boolean;

  /** @throws RangeError unless `hertz` is a positive integer of at most the resolution of time. */
  constructor(
    name: string,
    hertz: number,
    unitsPerSecond = picosecondsPerSecond,
    period = new Ratio(unitsPerSecond, hertz),
  ) {
    if (hertz > unitsPerSecond) throw new RangeError(`clock ${name} is faster than time, ${unitsPerSecond} Hz`);
    this.name = name;
    this.hertz = hertz;
    this.unitsPerSecond = unitsPerSecond;
    this.period = period;
    this.#isUnit = hertz === unitsPerSecond;
  }

  /** A clock that is known by its picoseconds per cycle; its hertz may be a fraction. */
  static ofPeriod(name: string, period: Ratio): Clock {
    const hertz = (picosecondsPerSecond * period.denominator) / period.numerator;
    return new Clock(name, hertz, picosecondsPerSecond, period);
  }

  /** When cycle k begins. */
  edge(k: number): number {
    return this.#isUnit ? k : this.period.floorOf(k);
  }

  /** The first cycle that begins at or after a time. */
  cycleAtOrAfter(time: number): number {
    // edge(k) >= time  <=>  floor(k x period) >= time  <=>  k x period >= time, since time is an integer
    return this.#isUnit ? time : this.period.ceilInto(time);
  }

  /** Cycles in a length of time that is a multiple of the period's numerator: edges lie as before, that much later. */
  cyclesIn(length: number): number {
    return (length / this.period.numerator) * this.period.denominator;
  }

  /** Picoseconds at which cycle k begins, rounded down. */
  picoseconds(k: number): number {
    return this.unitsPerSecond === picosecondsPerSecond
      ? this.edge(k)
      : new Ratio(picosecondsPerSecond, this.hertz).floorOf(k);
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
