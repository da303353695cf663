/** Tensors to memories by the rules of a placement, and whether there is room for them. */
import { type Diagnostic, InputError, suggest } from '../../arch/language/diagnostics.ts';
import type { LoadedPlacement, PlaceRule } from '../../workloads/language/placement.ts';
import type { StreamWorkload } from '../../workloads/language/streaming.ts';
import { Layout } from './layout.ts';
import type { HostTopology } from './topology.ts';

/** A tensor as it lies in memory, once for each that uses one of its own. */
export interface PlacedTensor {
  readonly name: string;
  readonly bytes: number;
  readonly copies: number;
  readonly layout: Layout;
}

/**
 * Where tensors are; `devices` take part, each with tensors of its own where it copies them.
 * @throws InputError with every rule that is wrong, every tensor without one, and every memory that is too small
 */
export function placeTensors(
  workload: StreamWorkload,
  { placement, place }: LoadedPlacement,
  topology: HostTopology,
  devices: number,
): Map<string, PlacedTensor> {
  const mistakes: Diagnostic[] = [];
  const layouts = placement.rules.map((rule, i) => {
    const layout = layoutOf(rule, topology);
    if (layout instanceof Layout) return layout;
    mistakes.push({ ...layout, place: place(['place', i]) });
    return null;
  });
  const used = new Set<number>();
  const placed = workload.tensors.toArray().flatMap(({ name, bytes }): PlacedTensor[] => {
    const rule = placement.rules.findIndex((one) => one.fits(name));
    if (rule < 0) {
      const hint = `such as "${name} -> ${topology.memories[0]?.name ?? 'dram'}"`;
      mistakes.push({ message: `no rule places tensor "${name}"`, place: place(['place']), hint });
      return [];
    }
    used.add(rule);
    const layout = layouts.get(rule);
    const isCopied = workload.steps.some((step) => step.kind === 'copy' && step.tensor === name);
    return layout ? [{ name, bytes, copies: isCopied ? devices : 1, layout }] : [];
  });
  placement.rules.forEach(({ pattern }, i) => {
    if (used.has(i)) return;
    const hint = suggest(
      pattern,
      workload.tensors.map(({ name }) => name),
    );
    mistakes.push({
      message: `"${pattern}" matches no tensor that is not placed already`,
      place: place(['place', i]),
      hint,
    });
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  checkRoom(placed, topology);
  return new Map(placed.map((tensor) => [tensor.name, tensor]));
}

function layoutOf({ memories, weights }: PlaceRule, { memories: sites, host }: HostTopology): Layout | Diagnostic {
  const all = sites.map(({ name }) => name);
  const parts = [...new Set(all.map((name) => name.replace(/\[\d+\]$/, '')))];
  const targets: number[] = [];
  for (const name of memories) {
    const found = all.flatMap((site, i) => (site === name || site.replace(/\[\d+\]$/, '') === name ? [i] : []));
    const inBrackets = /^(.*)\[\d+\]$/.exec(name)?.[1];
    const count = all.filter((site) => site === inBrackets || site.startsWith(`${inBrackets}[`)).length;
    if (found.length === 0 && inBrackets !== undefined && count > 0)
      return {
        message: `there is no ${name}: of ${inBrackets} there ${count === 1 ? 'is one' : `are ${count}, from 0`}`,
      };
    if (found.length === 0) return { message: `the host has no memory "${name}"`, hint: suggest(name, parts) };
    targets.push(...found);
  }
  if (weights !== null && weights.size !== targets.length) {
    const message = `${weights.size} weights for ${targets.length === 1 ? 'one memory' : `${targets.length} memories`}: ${targets.map((i) => all[i]).join(', ')}`;
    return { message, hint: 'give a weight for each, or name other memories' };
  }
  const pages = targets.map((target, i) => ({ target, pages: weights?.get(i) ?? 1 }));
  return new Layout(host.page, pages);
}

/** Bytes of each memory that tensors take. */
export function bytesIn(placed: Iterable<PlacedTensor>, target: number): number {
  return [...placed].reduce((sum, { layout, bytes, copies }) => sum + copies * layout.bytesIn(target, bytes), 0);
}

function checkRoom(placed: readonly PlacedTensor[], { memories }: HostTopology): void {
  const mistakes = memories.flatMap(({ name, part: { capacity } }, target): Diagnostic[] => {
    const need = bytesIn(placed, target);
    if (need <= capacity) return [];
    const tensors = placed
      .filter(({ layout, bytes }) => layout.bytesIn(target, bytes) > 0)
      .map((tensor) => tensor.name);
    const [word, those] = tensors.length === 1 ? ['tensor', 'needs'] : ['tensors', 'need'];
    return [{ message: `${word} ${tensors.join(', ')} ${those} ${need} B in ${name}, which has room for ${capacity}` }];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
}
