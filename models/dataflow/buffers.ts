/** Buffers of a section: how many tiles each has room for, and how many PMUs it takes. */
import { bytes as bytesText } from '../../arch/language/describe.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { perCycle, type RduDevice } from './device.ts';
import { producersOf } from './graph.ts';
import type { PlacedOperator } from './place.ts';
import type { Section, SectionTensor } from './section.ts';

/** A reader of a buffer: an operator by name, or null for the stream to memory. */
export interface BufferUse {
  readonly operator: string | null;
  readonly use: 'each' | 'keep' | 'all';
  /** Tiles that lie between its producer and this reader at most. */
  readonly credits: number;
}

export interface BufferPlan {
  readonly name: string;
  readonly tensor: SectionTensor;
  /** Tokens that go through it, bytes of one, and how many it holds at a time. */
  readonly tokens: number;
  readonly tokenBytes: number;
  readonly credits: number;
  readonly uses: readonly BufferUse[];
}

export interface PlacedBuffer extends BufferPlan {
  readonly pmus: readonly number[];
  /** Of these, those in which it shares a bank with another buffer. */
  readonly shared: readonly number[];
}

/**
 * A buffer between neighbours has room for `depth` tiles: two are a double buffer. One that others go around has room for
 * as many more as stages lie beside it, or it would hold them up; what an operator needs as a whole, or keeps, has room for
 * all of it.
 */
export function buffersOf(section: Section, depth: number): BufferPlan[] {
  const lags = lagsOf(section);
  const made = producersOf(section.operators);
  return [...section.tensors].map(([name, tensor]) => {
    const producer = made.get(name);
    const isTiled = tensor.tensor.streamed && (producer?.streamed ?? true);
    const tokens = isTiled ? section.tiles : 1;
    const users = section.operators.toArray().filter(({ operands }) => operands.some((one) => one.tensor === name));
    const first = Math.min(...users.map((user) => lagOf(lags, user.name)));
    const from = producer ? lagOf(lags, producer.name) : first - 1;
    const uses = users.map((user): BufferUse => {
      const keep = user.operands.some((one) => one.tensor === name && one.keep);
      const use = tokens === 1 || !user.streamed ? 'all' : keep ? 'keep' : 'each';
      const credits = use === 'each' ? Math.min(tokens, depth * Math.max(1, lagOf(lags, user.name) - from)) : tokens;
      return { operator: user.name, use, credits };
    });
    if (tensor.store) uses.push({ operator: null, use: 'each', credits: Math.min(tokens, depth) });
    const credits = Math.max(1, ...uses.map((use) => use.credits));
    return { name, tensor, tokens, tokenBytes: Math.ceil(tensor.tensor.bytes / tokens), credits, uses };
  });
}

/** By operator: tiles by which it is behind the beginning of the section at most. */
function lagsOf(section: Section): ReadonlyMap<string, number> {
  const made = producersOf(section.operators);
  const lags = new Map<string, number>();
  for (const operator of section.operators) {
    let lag = 0;
    for (const { tensor } of operator.operands) {
      const before = made.get(tensor);
      if (before === undefined) continue;
      // What is needed as a whole is there when all tiles have been made.
      const isWhole = !operator.streamed && before.streamed;
      lag = Math.max(lag, lagOf(lags, before.name) + (isWhole ? section.tiles : 1));
    }
    lags.set(operator.name, lag);
  }
  return lags;
}

function lagOf(lags: ReadonlyMap<string, number>, name: string): number {
  const lag = lags.get(name);
  if (lag === undefined) throw new Error(`${name} is used before it is made`);
  return lag;
}

/**
 * Every buffer gets the PMUs that its bytes fill, in whole banks, and as far as there are more so many that its ports keep up
 * with the operators beside it, from the one on that is beside its first reader. Buffers share PMUs; they share banks only
 * where whole banks would not do.
 * @throws InputError when they do not fit
 */
export function fitBuffers(
  plans: readonly BufferPlan[],
  operators: readonly PlacedOperator[],
  device: RduDevice,
): PlacedBuffer[] {
  const { pmus, pmu } = device.part;
  const bank = Math.floor(pmu.capacity / pmu.banks);
  const needed = plans.map(({ tokenBytes, credits }) => Math.max(1, tokenBytes * credits));
  const total = needed.reduce((sum, size) => sum + size, 0);
  if (total > pmus * pmu.capacity) throw tooLarge(plans, needed, pmus * pmu.capacity);
  const banks = needed.map((size) => Math.ceil(size / bank));
  const isWhole = banks.reduce((sum, count) => sum + count, 0) <= pmus * pmu.banks;
  const sizes = isWhole ? banks : needed;
  const space = new Space(pmus, isWhole ? pmu.banks : pmu.capacity, sizes);
  const found = new Map<BufferPlan, number[]>();
  // What lies beside the PCUs that have a part of it each goes first, or it would lie askew.
  const beside = (plan: BufferPlan): number => Number(operators.some((placed) => isParted(placed, plan.name)));
  for (const plan of [...plans].sort((a, b) => beside(b) - beside(a))) {
    const size = sizes[plans.indexOf(plan)]!;
    const wanted = Math.min(pmus, Math.ceil(portPmus(plan, operators, device)));
    found.set(plan, space.take(size, wanted, anchorOf(plan, operators, device)));
  }
  return plans.map((plan) => {
    const own = found.get(plan) ?? [];
    return { ...plan, pmus: own, shared: isWhole ? [] : own.filter((pmu) => isElsewhere(pmu, plan)) };
  });

  function isElsewhere(pmu: number, plan: BufferPlan): boolean {
    return [...found].some(([other, taken]) => other !== plan && taken.includes(pmu));
  }
}

/** The PMU beside the first PCU of the operator that has parts of a buffer, or reads it first, or makes it. */
function anchorOf({ name, uses }: BufferPlan, operators: readonly PlacedOperator[], { part }: RduDevice): number {
  const parted = operators.find((placed) => isParted(placed, name));
  const reader = operators.find(({ operator, pcus }) => pcus > 0 && uses.some((use) => use.operator === operator.name));
  const near = parted ?? reader ?? operators.find(({ operator }) => operator.results.includes(name));
  return Math.min(part.pmus - 1, Math.floor(((near?.first ?? 0) * part.grid.pmus) / part.grid.pcus));
}

/** Room in PMUs, in banks or in bytes. */
class Space {
  readonly #free: Float64Array;
  /** Room that no buffer needs. */
  #spare: number;

  constructor(pmus: number, each: number, sizes: readonly number[]) {
    this.#free = new Float64Array(pmus).fill(each);
    this.#spare = pmus * each - sizes.reduce((sum, size) => sum + size, 0);
  }

  /**
   * Takes room in so many PMUs, as near after one as it is found, the same in each, for which some may be left empty; in
   * more or fewer where that is not to be had.
   */
  take(size: number, wanted: number, from: number): number[] {
    const free = this.#free;
    const most = free.reduce((room, left) => Math.max(room, left), 0);
    const count = Math.max(1, wanted, Math.ceil(size / most));
    const each = Math.ceil(size / count);
    const rounded = Math.min(this.#spare, count * each - size);
    this.#spare -= rounded;
    const taken = new Set<number>();
    let left = size + rounded;
    const claim = (pmu: number, room: number): void => {
      const part = Math.min(left, room);
      free[pmu]! -= part;
      left -= part;
      taken.add(pmu);
    };
    for (const least of [each, 1]) {
      for (let step = 0; step < free.length && left > 0; step++) {
        const pmu = (from + step) % free.length;
        if (free[pmu]! >= Math.min(least, left) && !taken.has(pmu)) claim(pmu, Math.min(each, free[pmu]!));
      }
    }
    for (const pmu of taken) claim(pmu, free[pmu]!);
    return [...taken];
  }
}

/**
 * PMUs whose ports keep up with the operators that read and write a buffer. What each PCU has a part of lies beside it; of what
 * many take, or goes a long way, there are more ports, so that no link near them has much to carry.
 */
function portPmus(
  { name, tokenBytes, tokens }: BufferPlan,
  operators: readonly PlacedOperator[],
  device: RduDevice,
): number {
  const { read, write } = device.part.pmu;
  let needed = 0;
  for (const placed of operators) {
    const { operator, pcus, work, firings } = placed;
    const bytes = tokenBytes * (firings >= tokens ? 1 : tokens);
    // What takes no PCU keeps up with the others, or with the memory where it is alone.
    const pace =
      Math.max(0, ...operators.map((other) => cyclesFor(other))) || (bytes * device.hertz) / device.memory.bandwidth;
    const cycles = pcus > 0 ? Math.ceil(work.cycles / pcus) : pace;
    const at = operator.operands.findIndex(({ tensor }) => tensor === name);
    if (isParted(placed, name)) needed = Math.max(needed, pcus);
    else if (at >= 0)
      needed = Math.max(needed, (spread * bytes * readsOf(placed, at)) / cycles / perCycle(device, read));
    if (operator.results.includes(name)) needed = Math.max(needed, (spread * bytes) / cycles / perCycle(device, write));
  }
  return needed;
}

function cyclesFor({ work, pcus }: PlacedOperator): number {
  return pcus > 0 ? Math.ceil(work.cycles / pcus) : 0;
}

/** Whether each PCU of a product has a part of its own of a tensor. */
function isParted({ operator, pcus }: PlacedOperator, tensor: string): boolean {
  return pcus > 0 && operator.kind === 'product' && operator.operands.get(1)?.tensor === tensor;
}

/** Ports that a buffer gets for each that it needs. */
const spread = 4;

/** Times that an operator reads its n-th operand for each tile. */
export function readsOf({ work, pcus }: PlacedOperator, operand: number): number {
  const { first, second } = work.operands(Math.max(1, pcus));
  return operand === 0 ? first : second;
}

function tooLarge(plans: readonly BufferPlan[], needed: readonly number[], all: number): InputError {
  const order = plans.map((_, i) => i).sort((a, b) => (needed[b] ?? 0) - (needed[a] ?? 0));
  const total = needed.reduce((sum, size) => sum + size, 0);
  const largest = order.slice(0, 3).map((i) => {
    const { name, credits, tokenBytes } = plans[i]!;
    return `${name} ${bytesText(credits * tokenBytes)}`;
  });
  const message = `buffers need ${bytesText(total)} of PMUs, of ${bytesText(all)}: ${largest.join(', ')}`;
  return new InputError({ message, hint: 'fuse fewer operators, or use smaller tiles' });
}
