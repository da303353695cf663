/**
 * A layer of SwiGLU experts on a spatial machine, as a streaming tensor program: rows of tokens are read, packed into tiles
 * for their experts, run through a region of units, added up and written. Tiles are `tile` rows high and padded, or
 * dynamic: as high as an expert has tokens. Experts share regions in turn, those with neighbouring numbers one. For each tile
 * of tokens, a region loads the weights of its expert, `hiddenTile` columns of the hidden dimension at a time.
 */
import { InputError } from '../../arch/language/diagnostics.ts';
import { Channel } from '../kernel/channel.ts';
import { Clock } from '../kernel/clock.ts';
import { Kernel } from '../kernel/kernel.ts';
import { OffChip } from './off-chip.ts';
import { TileUnit, WeightLoader } from './stages.ts';
import type { StepMachine } from './step-machine.ts';
import { type ResultTile, RowReader, RowWriter } from './tokens.ts';

export interface MoeLayer {
  /** Tokens, each of which goes to `activeExperts`. */
  readonly batch: number;
  readonly dim: number;
  readonly hidden: number;
  readonly activeExperts: number;
  /** Tokens of each expert; no more than the batch. */
  readonly tokens: readonly number[];
  readonly bytesPerElement: number;
}

export interface MoeTiling {
  readonly tile: number | 'dynamic';
  readonly hiddenTile: number;
  readonly regions: number;
}

export interface MoeRun {
  readonly cycles: number;
  /** Tiles of tokens. */
  readonly tiles: number;
  /** Bytes of tensors read and written. */
  readonly offChipBytes: number;
  /** Bytes of the requests for them, which rows of a tile do not fill. */
  readonly requestBytes: number;
  /** Part of the memory's peak that tensors take. */
  readonly offChipUtilization: number;
  /** Part of the units' cycles in which they work. */
  readonly unitUtilization: number;
}

interface Tile {
  readonly expert: number;
  /** Rows that units work on. */
  readonly rows: number;
  /** The tokens in it. */
  readonly tokens: readonly number[];
  /** The row of the batch with which it is whole, or goes out as it is. */
  readonly ready: number;
}

/** Results are of 32-bit floats, as sums are. */
const resultBytes = 4;
/** Slots between two stages: double buffering. */
const slots = 2;

/** @throws InputError on a tiling that does not fit the layer */
export function runMoeLayer(machine: StepMachine, layer: MoeLayer, tiling: MoeTiling): MoeRun {
  check(layer, tiling);
  const regions = regionsOf(layer, tiling);
  const { requestBytes, channels } = machine.memory;
  const kernel = new Kernel();
  const clock = new Clock(machine.clock.name, machine.clock.hertz, machine.clock.hertz);
  const memory = new OffChip(kernel, clock, machine.memory);
  const starts = Array.from({ length: layer.batch }, (): Channel[] => []);
  const rowRequests = Math.ceil((layer.dim * layer.bytesPerElement) / requestBytes);
  const reader = new RowReader(kernel, clock, memory, rowRequests, starts);
  const work = {
    requests: Math.ceil((layer.dim * resultBytes) / requestBytes),
    cyclesPerResult: Math.ceil(layer.dim / machine.flops),
  };
  const writer = new RowWriter(kernel, clock, memory, work, rowResults(layer, regions));
  const units = regions.flatMap((tiles, i) =>
    region({ kernel, clock, memory, machine, layer, tiling, reader, writer }, tiles, starts, i),
  );
  kernel.run();
  const cycles = writer.time;
  const tiles = regions.flat().length;
  const offChipBytes = bytesOf(layer, tiles);
  const busy = units.reduce((sum, unit) => sum + unit.busy, 0);
  return {
    cycles,
    tiles,
    offChipBytes,
    requestBytes: memory.requests * requestBytes,
    offChipUtilization: offChipBytes / ((cycles * channels * requestBytes) / machine.memory.interval),
    unitUtilization: busy / (cycles * tiling.regions * unitsPerRegion),
  };
}

/** Bytes of weights for so many tiles, of tokens, results, and of the experts' shares in them. */
export function bytesOf({ batch, dim, hidden, activeExperts, bytesPerElement }: MoeLayer, tiles: number): number {
  const weights = tiles * 3 * dim * hidden * bytesPerElement;
  return weights + batch * (dim * (bytesPerElement + resultBytes) + activeExperts * bytesPerElement);
}

function check({ batch, hidden, tokens }: MoeLayer, { tile, hiddenTile, regions }: MoeTiling): void {
  const mistakes: string[] = [];
  const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
  if (tile !== 'dynamic' && !whole(tile)) mistakes.push(`tiles of ${tile} tokens, not a whole number from 1`);
  if (!whole(hiddenTile) || hidden % hiddenTile !== 0)
    mistakes.push(`tiles of ${hiddenTile} columns do not divide the hidden dimension, ${hidden}`);
  if (!whole(regions) || tokens.length % regions !== 0)
    mistakes.push(`${tokens.length} experts cannot be shared out to ${regions} regions, as many to each`);
  const most = tokens.findIndex((count) => count > batch);
  if (most >= 0) mistakes.push(`expert ${most} has ${tokens[most]} tokens of a batch of ${batch}`);
  if (tokens.every((count) => count === 0)) mistakes.push('no expert has a token');
  if (mistakes.length > 0) throw new InputError(mistakes.map((message) => ({ message })));
}

/** Tiles of each region in the order in which it runs them: as they become whole, then by expert. */
function regionsOf({ batch, tokens }: MoeLayer, { tile, regions }: MoeTiling): Tile[][] {
  const perRegion = tokens.length / regions;
  return Array.from({ length: regions }, (_, region) => {
    const tiles = tokens.slice(region * perRegion, (region + 1) * perRegion).flatMap((count, i) => {
      return tilesOf(region * perRegion + i, count, batch, tile === 'dynamic' ? count : tile, tile !== 'dynamic');
    });
    return tiles.sort((a, b) => a.ready - b.ready || a.expert - b.expert);
  });
}

/** An expert's tokens lie evenly in the batch. What is not whole is known to be so at the batch's end. */
function tilesOf(expert: number, count: number, batch: number, height: number, isStatic: boolean): Tile[] {
  if (count === 0) return [];
  const all = Array.from({ length: count }, (_, k) => Math.floor(((2 * k + 1) * batch) / (2 * count)));
  return Array.from({ length: Math.ceil(count / height) }, (_, i) => {
    const tokens = all.slice(i * height, (i + 1) * height);
    const isWhole = isStatic && tokens.length === height;
    return { expert, rows: height, tokens, ready: isWhole ? (tokens.at(-1) ?? 0) : batch - 1 };
  });
}

/** For each row, where its results come from. */
function rowResults({ batch }: MoeLayer, regions: readonly (readonly Tile[])[]): ResultTile[][] {
  const rows = Array.from({ length: batch }, (): ResultTile[] => []);
  regions.forEach((tiles, region) => {
    tiles.forEach(({ tokens }, position) => {
      for (const token of tokens) rows[token]?.push({ region, position });
    });
  });
  return rows;
}

const unitsPerRegion = 5;

interface Layout {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly memory: OffChip;
  readonly machine: StepMachine;
  readonly layer: MoeLayer;
  readonly tiling: MoeTiling;
  readonly reader: RowReader;
  readonly writer: RowWriter;
}

/** Builds a region for its tiles; those without any are not built. */
function region(layout: Layout, tiles: readonly Tile[], starts: readonly Channel[][], index: number): TileUnit[] {
  const { kernel, clock, machine, layer, tiling, reader, writer } = layout;
  const { dim, hidden, bytesPerElement } = layer;
  const columns = tiling.hiddenTile;
  const steps = hidden / columns;
  const capacity = Math.max(1, tiles.length);
  const weightCycles = Math.ceil((dim * columns * bytesPerElement) / machine.padBytes);
  const cycles = (flopsPerRow: number, least: number): number[] =>
    tiles.map(({ rows }) => Math.max(least, Math.ceil((rows * flopsPerRow) / machine.flops)));
  const unit = (name: string, flopsPerRow: number, least = 0): TileUnit =>
    new TileUnit(kernel, clock, `region ${index} ${name}`, steps, cycles(flopsPerRow, least));
  const up = unit('up', 2 * dim * columns, weightCycles);
  const gate = unit('gate', 2 * dim * columns, weightCycles);
  const activation = unit('activation', machine.activationFlops * columns);
  const product = unit('product', columns);
  const down = unit('down', 2 * dim * columns, weightCycles);
  const results = new Channel(`region ${index} results`, down, writer, { capacity });
  writer.connect(results);
  if (tiles.length === 0) return [];
  down.outputs.push({ channel: results, every: 'tile' });
  join(up, product, 'up');
  join(gate, activation, 'gate');
  join(activation, product, 'activation');
  join(product, down, 'product');
  const begin = (stage: TileUnit | WeightLoader, name: string): Channel => {
    const channel = new Channel(`region ${index} tiles for ${name}`, reader, stage, { capacity });
    for (const { ready } of tiles) starts[ready]?.push(channel);
    return channel;
  };
  for (const stage of [up, gate]) stage.inputs.unshift({ channel: begin(stage, stage.name), every: 'tile' });
  const wide = dim * requestsFor(columns * bytesPerElement, machine);
  const tall = columns * requestsFor(dim * bytesPerElement, machine);
  for (const [stage, requests] of [
    [up, wide],
    [gate, wide],
    [down, tall],
  ] as const)
    load(layout, stage, { tiles: tiles.length, steps, requests }, begin);
  return [up, gate, activation, product, down];
}

/** Requests for a row of a tile, none of which has bytes of two rows. */
function requestsFor(bytes: number, { memory }: StepMachine): number {
  return Math.ceil(bytes / memory.requestBytes);
}

function join(from: TileUnit, to: TileUnit, name: string): void {
  const channel = new Channel(`${from.name} to ${name}`, from, to, { capacity: slots });
  from.outputs.push({ channel, every: 'step' });
  to.inputs.push({ channel, every: 'step' });
}

function load(
  { kernel, clock, memory }: Layout,
  stage: TileUnit,
  work: { readonly tiles: number; readonly steps: number; readonly requests: number },
  begin: (loader: WeightLoader, name: string) => Channel,
): void {
  const name = `${stage.name} weights`;
  const loader = new WeightLoader(kernel, clock, name, memory, work);
  const weights = new Channel(name, loader, stage, { capacity: slots });
  loader.connect(begin(loader, name), weights);
  stage.inputs.push({ channel: weights, every: 'step' });
}
