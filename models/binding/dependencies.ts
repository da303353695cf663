/** Which einsum of a section reads what from where, and when in the loop nest it may run. */
import { type Access, accessesOf, type Einsum, type Index, variablesOf } from '../../workloads/language/workload.ts';
import type { Mask, Nest } from './nest.ts';

/** A plan that cannot work: why, and what it is about. */
export class BindError extends Error {
  /** Mapping key to blame, such as `loops`; null when the machine or the cascade is. */
  readonly key: string | null;
  readonly hint: string | undefined;
  /** Bytes that a scratchpad is too small by; 0 for mistakes of other kinds. */
  readonly excess: number;
  /** The einsum that it is about; null: any of the section. */
  readonly einsum: string | null;

  constructor(message: string, key: string | null = null, hint?: string, excess = 0, einsum: string | null = null) {
    super(message);
    this.name = 'BindError';
    this.key = key;
    this.hint = hint;
    this.excess = excess;
    this.einsum = einsum;
  }
}

/**
 * One tensor that an einsum reads.
 * `memory`: from outside the section. `tile`: made in the same iteration of the loops that it depends on. `previous`: an
 * iterative tensor's value from the iteration before. `final`: an iterative tensor's last value.
 */
export interface Read {
  readonly kind: 'memory' | 'tile' | 'previous' | 'final';
  readonly tensor: string;
  readonly access: Access;
  /** Position of the einsum that makes it; -1 for memory. */
  readonly producer: number;
  /** Loops that tell one tile of it from another. */
  readonly loops: Mask;
}

/** One einsum's place in the nest. */
export interface Node {
  readonly einsum: Einsum;
  readonly variables: readonly string[];
  readonly reads: readonly Read[];
  /** Loops that it iterates over. */
  readonly iterates: Mask;
  /** Loops in whose first (last) iteration alone it runs, since it does not depend on them. */
  readonly first: Mask;
  readonly last: Mask;
  /** The loop over passes if it runs in neither the first nor the last of them. */
  readonly middle: Mask;
  /** Which pass it runs in; 0 where there is one. */
  readonly pass: number;
  /** Loops that tell one tile of its output from another. */
  readonly output: Mask;
}

/**
 * `passes`: names of einsums by pass, where the nest has a loop over passes.
 * @throws BindError when an einsum would need another pass over a loop that it shares with what it reads.
 */
export function nodesOf(einsums: readonly Einsum[], nest: Nest, passes: readonly (readonly string[])[] = []): Node[] {
  const producers = new Map(einsums.map((einsum, i) => [einsum.output.tensor, i]));
  const nodes = einsums.map((einsum, i): Node => {
    const { iterative, name } = einsum;
    if (iterative !== null && nest.axis(iterative).tile > 1) {
      const cut = nest.axis(iterative).mask === 0 ? '' : ` in place of parts of ${iterative.toUpperCase()}`;
      throw new BindError(
        `${name} needs its own last iteration's value: ${iterative} must be one of the loops`,
        'loops',
        `name ${iterative} in "loops"${cut}`,
        0,
        name,
      );
    }
    if (iterative !== null) checkLoopsOf(iterative, name, nest);
    const variables = variablesOf(einsum);
    return {
      einsum,
      variables,
      reads: accessesOf(einsum.expression).map((access) => readOf(access, i, producers, einsums, nest)),
      iterates: nest.maskOf(variables),
      first: 0,
      last: 0,
      middle: 0,
      pass: Math.max(
        0,
        passes.findIndex((names) => names.includes(name)),
      ),
      output: nest.maskOf(einsum.output.indices.flatMap((index) => index.terms.keySeq())),
    };
  });
  const lasts = lastsOf(nodes, nest);
  return nodes.map((node, i) => {
    const isFirst = node.pass === 0;
    const isLast = !isFirst && node.pass === passes.length - 1;
    return {
      ...node,
      first: (nest.all & ~node.iterates & ~lasts[i]! & ~nest.passes) | (isFirst ? nest.passes : 0),
      last: lasts[i]! | (isLast ? nest.passes : 0),
      middle: isFirst || isLast ? 0 : nest.passes,
    };
  });
}

/** What one iteration hands to the next comes in the order in which it is made only when no other loop is in between. */
function checkLoopsOf(iterative: string, einsum: string, nest: Nest): void {
  const { mask } = nest.axis(iterative);
  const span = mask === 0 ? 0 : 2 ** (32 - Math.clz32(mask)) - (mask & -mask);
  const named = (loops: Mask): string =>
    nest.loops.flatMap(({ name }, l) => (loops & (1 << l) ? [name] : [])).join(', ');
  if ((span & ~mask) === 0) return;
  throw new BindError(
    `${einsum} hands its value from one iteration of ${iterative} to the next, but ${named(span & ~mask)} comes between ${named(mask)}`,
    'loops',
    `put ${named(mask)} next to each other`,
    0,
    einsum,
  );
}

/**
 * Loops in whose last iteration alone each einsum can run: all that what it reads is complete after. What it reads of
 * the iteration before may be made by a later einsum, so that this is a fixed point.
 */
function lastsOf(nodes: readonly Node[], nest: Nest): Mask[] {
  const lasts: Mask[] = nodes.map(() => 0);
  for (let changed = true; changed; ) {
    changed = false;
    nodes.forEach(({ einsum, reads, iterates, pass }, i) => {
      for (const read of reads) {
        if (read.kind === 'memory') continue;
        const producer = nodes[read.producer]!;
        checkPasses(einsum.name, pass, read, producer);
        // What an earlier pass made is complete in all loops that it went over.
        const over = producer.pass < pass ? nest.inside(nest.all, nest.passes) : 0;
        const completes =
          (producer.iterates | lasts[read.producer]!) & ~read.loops & awaited(read, producer, nest) & ~over;
        if (completes & iterates) {
          const loops = nest.loops.filter((_, l) => completes & iterates & (1 << l)).map((loop) => loop.name);
          throw new BindError(
            `${einsum.name} needs another pass over ${loops.join(', ')}: ${read.tensor} is complete only when ${loops.join(', ')} has ended`,
            'loops',
            `leave ${loops.join(', ')} out of the loops, or put ${einsum.name} into a later section`,
            0,
            einsum.name,
          );
        }
        changed ||= (completes & ~lasts[i]!) !== 0;
        lasts[i]! |= completes;
      }
    });
  }
  return lasts;
}

function checkPasses(name: string, pass: number, { kind, tensor }: Read, producer: Node): void {
  if (kind === 'previous' ? producer.pass === pass : producer.pass <= pass) return;
  const other = producer.einsum.name;
  throw new BindError(
    kind === 'previous'
      ? `${name} needs ${tensor} of the iteration before, which ${other} makes in another pass`
      : `${name} is in an earlier pass than ${other}, which makes ${tensor} for it`,
    'passes',
    `put ${other} into the same pass, or ${name} into a later one`,
  );
}

/** Loops that can still be running when a tensor is read: not those inside an iteration that has ended. */
function awaited(read: Read, { einsum }: Node, nest: Nest): Mask {
  if (read.kind !== 'previous') return nest.all;
  const { mask } = nest.axis(einsum.iterative!);
  return mask === 0 ? 0 : 2 ** (31 - Math.clz32(mask)) - 1;
}

function readOf(
  access: Access,
  reader: number,
  producers: ReadonlyMap<string, number>,
  einsums: readonly Einsum[],
  nest: Nest,
): Read {
  const { tensor } = access;
  const producer = producers.get(tensor) ?? -1;
  if (producer < 0) {
    const loops = nest.maskOf(access.indices.flatMap((index) => index.terms.keySeq()));
    return { kind: 'memory', tensor, access, producer, loops };
  }
  const { output, iterative } = einsums[producer]!;
  let loops: Mask = 0;
  let kind: Read['kind'] = 'tile';
  access.indices.forEach((index, d) => {
    const made = output.indices.get(d)!;
    const variable = made.terms.keySeq().first();
    if (index.final !== null) {
      kind = 'final';
    } else if (variable === iterative && variable !== undefined && iterates(made)) {
      if (!index.terms.equals(made.terms)) {
        throw new BindError(`${einsums[reader]!.name} reads ${tensor} at another index than its own iteration`);
      }
      if (index.constant < made.constant) kind = 'previous';
      loops |= nest.maskOf([variable]);
    } else if (variable !== undefined && index.equals(made)) {
      loops |= nest.maskOf([variable]);
    }
  });
  if (kind === 'tile' && producer >= reader) {
    throw new BindError(`${einsums[reader]!.name} reads ${tensor} before it is made`, 'einsums');
  }
  return { kind, tensor, access, producer, loops };
}

/** Whether an output index is that of an iterative rank: `m1+1`. */
function iterates(index: Index): boolean {
  return index.constant === 1;
}
