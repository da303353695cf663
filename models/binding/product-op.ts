/** What one tile of a product costs a memory that computes, as far as it is known before it runs. */
import { List } from 'immutable';
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';
import { dialectOf } from '../pim-product.ts';
import { pimPeak } from '../serving/experts.ts';
import { BindError } from './dependencies.ts';
import { noLink } from './gaps.ts';
import type { ElementBytes, Layout } from './plan.ts';
import { Access, type Product } from './program.ts';
import { type Extents, type Flow, readFlows, type TileOp, writeFlows } from './tile-ops.ts';
import type { PimSite, Topology } from './topology.ts';

/**
 * The memory gets vectors from scratchpads and gives results to them, over what joins them; its matrix is there. Cycles are an
 * estimate: vectors at the peak of the bus, rows one after another, all of each at the peak of the units, and twice a read's
 * latency for each tile.
 * @throws BindError when a loop cuts what is summed
 */
export function productOp(layout: Layout, position: number, topology: Topology, bytesOf: ElementBytes): TileOp {
  const { nest, assignments } = layout.plan;
  const { einsum, variables } = layout.nodes[position]!;
  const { engine, product } = assignments[position]!;
  if (!product || engine.part.kind !== 'memory') throw new Error(`${einsum.name} is no product in a memory`);
  const site = engine as PimSite;
  checkWhole(product, einsum.name, layout);
  const raggedAxes = variables.filter((v) => nest.isRagged(v)).map((v) => nest.axis(v));
  const variants = Array.from({ length: 2 ** raggedAxes.length }, (_, variant): Extents => {
    const isLast = (v: string): boolean =>
      raggedAxes.some((axis, bit) => axis.variable === v && (variant & (1 << bit)) !== 0);
    return (v) => nest.tileOf(v, isLast(v));
  });
  const brought = readFlows(layout, position, bytesOf).flatMap((flow) => accessesOf(flow, site, topology, variants));
  const taken = writeFlows(layout, position, bytesOf).flatMap((flow) => accessesOf(flow, site, topology, variants));
  const route = topology.routes.find(({ memory }) => memory === site.path);
  const latency = route ? Math.ceil(topology.memoryLatency(route) * site.hertz) : 0;
  const { batch, rows, columns, vectors } = product;
  const points = [...batch, ...rows, ...columns, ...vectors];
  return {
    ragged: raggedAxes.map(({ mask }) => mask),
    busy: variants.map(() => 0),
    cycles: variants.map((extents) => estimate(product, site, extents)),
    latency: variants.map(() => latency),
    points: variants.map((extents) => points.reduce((all, v) => all * extents(v), 1)),
    link: route?.port?.name ?? '',
    accesses: [...brought, ...taken],
    arrivals: [],
    product: product.set('operands', brought.length),
  };
}

/** Whether a tile must have all of a rank variable: what is summed, and the parts of sums. */
export function isWhole({ columns, part }: Product, variable: string): boolean {
  return columns.includes(variable) || variable === part;
}

function checkWhole(product: Product, einsum: string, { plan, nodes }: Layout): void {
  const variables = [...new Set(nodes.flatMap((node) => node.variables))];
  const cut = variables.find((v) => isWhole(product, v) && plan.nest.axis(v).mask !== 0);
  if (cut === undefined) return;
  const message = `${einsum} sums over ${cut} in ${product.memory}, where a tile has all of it`;
  throw new BindError(message, 'loops', `leave ${cut} out of the loops`, 0, einsum);
}

function accessesOf(flow: Flow, site: PimSite, topology: Topology, variants: readonly Extents[]): Access[] {
  const { tensor, write, guard, other, bytes } = flow;
  if (other === null || !flow.isPad) return [];
  const route = topology.routes.find(({ memory, pad }) => memory === site.path && pad === other);
  if (!route) throw write ? noLink(tensor, site.path, other, topology) : noLink(tensor, other, site.path, topology);
  const moved = { tensor, guard, bytes: List(variants.map((extents) => Math.ceil(bytes(extents)))) };
  const pad = new Access({ ...moved, memory: other, write });
  return route.port ? [pad, new Access({ ...moved, memory: route.port.name, write: !write })] : [pad];
}

/** Cycles of the memory's clock. */
function estimate(product: Product, { part }: PimSite, extents: Extents): number {
  const { dram, count } = part;
  const device = dram && memoryDevice(dram);
  const dialect = device && dialectOf(device);
  if (!device || !dialect) throw new Error(`${product.memory} multiplies nothing`);
  const channels = dram.channels * count;
  const all = (variables: Iterable<string>): number => [...variables].reduce((n, v) => n * extents(v), 1);
  const over = (variables: Iterable<string>): number => all([...variables].filter((v) => product.over.includes(v)));
  const ways = over(product.batch);
  const matrices = Math.ceil(all(product.batch) / Math.min(channels, ways));
  const rounds = Math.ceil(
    all(product.rows) / Math.min(Math.max(1, channels / ways), over(product.rows)) / dialect.units,
  );
  const columns = all(product.columns);
  const passes = Math.ceil(all(product.vectors) / dialect.vectors);
  const bytesRead = matrices * rounds * dialect.units * columns * 2 * passes;
  const bytesBrought = matrices * columns * 2 * all(product.vectors);
  const seconds =
    channels * (bytesRead / pimPeak(device, channels).bytesPerSecond + bytesBrought / (part.bandwidth * count));
  const inARow = Math.floor(dialect.inRow / (Math.ceil(columns / dialect.lanes) * dialect.lanes));
  const opened = product.packed ? Math.ceil(matrices / inARow) : matrices * Math.ceil(columns / dialect.inRow);
  const opening = opened * rounds * passes * cyclesToOpen(device);
  return Math.ceil((seconds * picosecondsPerSecond) / device.clockPs) + opening + 2 * cyclesOfRead(device);
}

/** From one opening of a bank's row to the next one's. */
function cyclesToOpen({ commands, constraints, ticksPerClock }: DramDevice): number {
  const opens = commands.flatMap(({ banks }, command) => (banks === 'opens' ? [command] : []));
  const latencies = constraints
    .filter(({ after, before, window, sibling }) => {
      return window === 1 && !sibling && opens.some((command) => after.includes(command) && before.includes(command));
    })
    .map(({ latency }) => latency);
  return Math.ceil(Math.max(0, ...latencies) / ticksPerClock);
}

function cyclesOfRead({ readLatency, ticksPerClock }: DramDevice): number {
  return Math.ceil(readLatency / ticksPerClock);
}
