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
  readonly pmus: number;
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
 * Every buffer gets the PMUs that its bytes fill, in whole banks, then as far as there are more so many that its ports keep
 * up with the operators beside it. Buffers share PMUs, but no bank.
 * @throws InputError when they do not fit
 */
export function fitBuffers(
  plans: readonly BufferPlan[],
  operators: readonly PlacedOperator[],
  device: RduDevice,
): PlacedBuffer[] {
  const { part } = device;
  const bank = Math.floor(part.pmu.capacity / part.pmu.banks);
  const banks = plans.map(({ tokenBytes, credits }) => Math.max(1, Math.ceil((tokenBytes * credits) / bank)));
  const total = banks.reduce((sum, count) => sum + count, 0);
  const all = part.pmus * part.pmu.banks;
  if (total > all) throw tooLarge(plans, banks, bank, all);
  const least = banks.map((count) => count / part.pmu.banks);
  let left = (all - total) / part.pmu.banks;
  return plans.map((plan, i) => {
    const own = least[i]!;
    const more = Math.min(left, Math.max(0, Math.ceil(portPmus(plan, operators, device)) - own));
    left -= more;
    return { ...plan, pmus: own + more };
  });
}

/** PMUs whose ports keep up with the operators that read and write a buffer. */
function portPmus(
  { name, tokenBytes, tokens }: BufferPlan,
  operators: readonly PlacedOperator[],
  device: RduDevice,
): number {
  let needed = 0;
  for (const placed of operators) {
    const { operator, pcus, work } = placed;
    if (pcus === 0) continue;
    const cycles = Math.ceil(work.cycles / pcus);
    const each = tokenBytes * (placed.firings >= tokens ? 1 : tokens);
    const at = operator.operands.findIndex(({ tensor }) => tensor === name);
    if (at >= 0)
      needed = Math.max(needed, (each * readsOf(placed, at)) / cycles / perCycle(device, device.part.pmu.read));
    if (operator.results.includes(name))
      needed = Math.max(needed, each / cycles / perCycle(device, device.part.pmu.write));
  }
  return needed;
}

/** Times that an operator reads its n-th operand for each tile. */
export function readsOf({ work, pcus }: PlacedOperator, operand: number): number {
  const [first, second] = work.reads(Math.max(1, pcus));
  return operand === 0 ? first : second;
}

function tooLarge(plans: readonly BufferPlan[], banks: readonly number[], bank: number, all: number): InputError {
  const order = plans.map((_, i) => i).sort((a, b) => (banks[b] ?? 0) - (banks[a] ?? 0));
  const total = banks.reduce((sum, count) => sum + count, 0);
  const largest = order.slice(0, 3).map((i) => {
    const { name, credits, tokenBytes } = plans[i]!;
    return `${name} ${bytesText(credits * tokenBytes)}`;
  });
  const message = `buffers need ${bytesText(total * bank)} of PMUs, of ${bytesText(all * bank)}: ${largest.join(', ')}`;
  return new InputError({ message, hint: 'fuse fewer operators, or use smaller tiles' });
}
