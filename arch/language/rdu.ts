/** A reconfigurable dataflow unit as an immutable value, and what may be asked of it. */
import { Map, Record } from 'immutable';
import { type OperationCost, Rate, Span } from './arch.ts';

/** Sites of a grid, each a switch of the network with so many PCUs and PMUs. */
export class RduGrid extends Record<{ rows: number; columns: number; pcus: number; pmus: number }>(
  { rows: 1, columns: 1, pcus: 1, pmus: 1 },
  'RduGrid',
) {}

/**
 * A pattern compute unit: `lanes` x `stages` functional units. As a systolic array they multiply matrices, a result
 * standing still in each unit; as a pipeline, each stage does one operation of every lane in a cycle.
 */
export class Pcu extends Record<{
  lanes: number;
  stages: number;
  systolic: boolean;
  operations: Map<string, OperationCost>;
}>({ lanes: 1, stages: 1, systolic: true, operations: Map() }, 'Pcu') {}

/** A pattern memory unit: `banks` of a scratchpad that is written and read at the same time. */
export class Pmu extends Record<{ capacity: number; banks: number; read: Rate; write: Rate; latency: Span }>(
  { capacity: 0, banks: 1, read: new Rate(), write: new Rate(), latency: new Span() },
  'Pmu',
) {}

/** What joins the sites: links of `width` bytes per cycle between neighbours, or one switch that joins all of them. */
export class RduNetwork extends Record<{
  topology: 'mesh' | 'switch';
  width: Rate;
  /** From one switch to the next. */
  hop: Span;
  /** Packets of `width` bytes that each hop has room for. */
  credits: number;
  /** Whether a switch can copy a packet to several neighbours. */
  multicast: boolean;
}>({ topology: 'mesh', width: new Rate(), hop: new Span(), credits: 1, multicast: true }, 'RduNetwork') {}

/** Units that stream tensors between memories and the grid. */
export class Agcu extends Record<{
  count: number;
  /** Bytes that one moves. */
  width: Rate;
  /** Requests that one has outstanding. */
  window: number;
  /** Most bytes of one request: what lies side by side is asked for together. */
  coalesce: number;
}>({ count: 1, width: new Rate(), window: 1, coalesce: 1 }, 'Agcu') {}

/** Picoseconds from the end of one kernel to the start of the next. */
export class Launch extends Record<{ program: number; arguments: number; execute: number }>(
  { program: 0, arguments: 0, execute: 0 },
  'Launch',
) {
  /** All three, one after another. */
  get total(): number {
    return this.program + this.arguments + this.execute;
  }
}

/** A grid of PCUs and PMUs on which a section of a dataflow graph runs as one pipeline. */
export class RduPart extends Record<{
  kind: 'rdu';
  count: number;
  clock: string;
  grid: RduGrid;
  pcu: Pcu;
  pmu: Pmu;
  network: RduNetwork;
  agcu: Agcu;
  /** By who launches a kernel: the host, or the unit itself. */
  software: Launch;
  hardware: Launch;
}>(
  {
    kind: 'rdu',
    count: 1,
    clock: '',
    grid: new RduGrid(),
    pcu: new Pcu(),
    pmu: new Pmu(),
    network: new RduNetwork(),
    agcu: new Agcu(),
    software: new Launch(),
    hardware: new Launch(),
  },
  'RduPart',
) {
  get pcus(): number {
    return this.grid.rows * this.grid.columns * this.grid.pcus;
  }

  get pmus(): number {
    return this.grid.rows * this.grid.columns * this.grid.pmus;
  }

  /** Bytes of all PMUs. */
  get capacity(): number {
    return this.pmus * this.pmu.capacity;
  }
}
