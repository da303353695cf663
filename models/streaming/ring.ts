/**
 * A product whose results all devices of a ring have parts of, and their sum, of which each device gets a chunk
 * (reduce-scatter), one after the other and fused tile by tile, as T3 does (Pati et al., ASPLOS 2024):
 *
 * - Each device begins with the chunk that is first to travel. Its tiles go to the next device's memory as they are computed.
 * - Tiles of other chunks are added to memory, where they are, and so is what comes from the device before.
 * - A tracker counts both, and once a tile has both, it is read and goes on to the next device; tiles of the last chunk stay.
 *
 * All devices do the same at the same time: one is simulated, and what it sends of one chunk it receives of the next.
 */
import { InputError } from '../../arch/language/diagnostics.ts';
import { Events } from '../serving/events.ts';
import { type Arbitration, SharedDram, type Side } from './shared-dram.ts';
import { type GemmShape, type TiledMachine, tileBytes, tileSize, tilesOf, type Wave, wavesOf } from './tiled-gemm.ts';

export interface RingMachine extends TiledMachine {
  readonly devices: number;
  /** Bytes per second that a device sends while as many come. */
  readonly linkBandwidth: number;
  /** Picoseconds. */
  readonly linkLatency: number;
  readonly memoryBandwidth: number;
  readonly memoryLatency: number;
}

/** Bytes of one device's memory. */
export interface Traffic {
  gemmReads: number;
  reads: number;
  writes: number;
}

export interface Timed {
  /** Picoseconds. */
  readonly time: number;
  readonly traffic: Traffic;
}

/** One device while it runs something. */
class Device {
  readonly events = new Events();
  readonly traffic: Traffic = { gemmReads: 0, reads: 0, writes: 0 };
  readonly #dram: SharedDram;
  readonly #machine: RingMachine;
  #linkFree = 0;
  now = 0;

  constructor(machine: RingMachine, arbitration: Arbitration) {
    this.#machine = machine;
    const { memoryBandwidth, memoryLatency } = machine;
    this.#dram = new SharedDram(this.events, memoryBandwidth, memoryLatency, arbitration);
  }

  at(time: number, action: () => void): void {
    this.events.at(time, () => {
      this.now = time;
      action();
    });
  }

  /** `then` once all bytes are there; at once for none. */
  access(side: Side, kind: keyof Traffic, bytes: number, then: () => void): void {
    if (bytes === 0) {
      this.at(this.now, then);
      return;
    }
    this.traffic[kind] += bytes;
    this.#dram.request(side, bytes, this.now, (at) => {
      this.now = at;
      then();
    });
  }

  /** Sends bytes to the next device; `then` when as many have come from the one before. */
  send(bytes: number, then: () => void): void {
    const { linkBandwidth, linkLatency } = this.#machine;
    const start = Math.max(this.now, this.#linkFree);
    this.#linkFree = start + Math.ceil((bytes * 1e12) / linkBandwidth);
    this.at(this.#linkFree + linkLatency, then);
  }

  run(): Timed {
    while (this.events.first < Number.POSITIVE_INFINITY) this.events.step();
    return { time: this.now, traffic: this.traffic };
  }

  /**
   * Runs waves one after another, slice by slice: one is worked on once it has been read, while the next one is. `computed` is
   * called for every tile at the end of its wave, behind the first reads of the next.
   */
  compute(waves: readonly Wave[], computed: (tile: number) => void, index = 0): void {
    const wave = waves[index];
    if (wave === undefined) return;
    const { slices } = wave;
    let read = 0;
    let done = 0;
    let isWorking = false;
    const share = (total: number, slice: number): number =>
      Math.floor((total * (slice + 1)) / slices) - Math.floor((total * slice) / slices);
    const fetch = (slice: number): void => {
      if (slice >= slices) return;
      this.access('compute', 'gemmReads', share(wave.reads, slice), () => {
        read++;
        work();
      });
    };
    const work = (): void => {
      if (isWorking || done === read) return;
      isWorking = true;
      this.at(this.now + share(wave.time, done), () => {
        isWorking = false;
        done++;
        if (done < slices) {
          fetch(done + 1);
          work();
        } else {
          this.compute(waves, computed, index + 1);
          for (const tile of wave.tiles) computed(tile);
        }
      });
    };
    fetch(0);
    fetch(1);
  }
}

/** The product alone; its results go to memory through the cache. */
export function runGemm(machine: RingMachine, shape: GemmShape): Timed {
  const device = new Device(machine, 'in-turn');
  device.compute(wavesOf(shape, machine, true), (tile) => {
    device.access('compute', 'writes', tileBytes(shape, tile), () => {});
  });
  return device.run();
}

/**
 * A reduce-scatter by itself, by units that add, piece after piece: each is read, with what has come of it but for the first
 * time, and goes to the next device's memory; the last device adds its own to it.
 */
export function runReduceScatter(machine: RingMachine, shape: GemmShape): Timed {
  return runRing(machine, shape, 2, (device, bytes) => {
    device.access('communication', 'reads', 2 * bytes, () => {
      device.access('communication', 'writes', bytes, () => {});
    });
  });
}

/** Every device gets the chunks of all others, piece after piece around the ring. */
export function runAllGather(machine: RingMachine, shape: GemmShape): Timed {
  return runRing(machine, shape, 1, () => {});
}

/** Pieces of a chunk go all the way round, read so many times at each device but the first; `last` is where they end. */
function runRing(
  machine: RingMachine,
  shape: GemmShape,
  reads: number,
  last: (device: Device, bytes: number) => void,
): Timed {
  const device = new Device(machine, 'in-turn');
  const hop = (index: number, bytes: number): void => {
    device.access('communication', 'reads', (index === 0 ? 1 : reads) * bytes, () => {
      device.send(bytes, () => {
        device.access('communication', 'writes', bytes, () => {
          if (index + 2 < machine.devices) hop(index + 1, bytes);
          else last(device, bytes);
        });
      });
    });
  };
  for (let tile = 0; tile < tilesPerChunk(machine, shape); tile++) hop(0, tileBytes(shape, tile));
  return device.run();
}

/** The product fused with its reduce-scatter, tile by tile; results go past the cache. */
export function runFused(machine: RingMachine, shape: GemmShape, arbitration: Arbitration): Timed {
  const device = new Device(machine, arbitration);
  const { devices } = machine;
  const perChunk = tilesPerChunk(machine, shape);
  /** Of each tile, whether its own part or that from the device before has come. */
  const updates = new Uint8Array(perChunk * devices);
  const send = (tile: number): void =>
    device.send(tileBytes(shape, tile), () => update('communication', tile + perChunk));
  const update = (side: Side, tile: number): void => {
    device.access(side, 'writes', tileBytes(shape, tile), () => {
      updates[tile]!++;
      if (updates[tile] === 2 && tile < perChunk * (devices - 1))
        device.access('communication', 'reads', tileBytes(shape, tile), () => send(tile));
    });
  };
  device.compute(wavesOf(shape, machine, false), (tile) => {
    if (tile < perChunk) send(tile);
    else update('compute', tile);
  });
  return device.run();
}

/** @throws InputError unless chunks are whole rows of tiles */
function tilesPerChunk({ devices }: RingMachine, shape: GemmShape): number {
  const { rows, columns } = tilesOf(shape);
  if (devices < 2) throw new InputError({ message: 'a ring has at least 2 devices' });
  if (rows % devices !== 0 || shape.m % tileSize !== 0) {
    const message = `${shape.m} rows of results are no ${devices} chunks of rows of tiles`;
    throw new InputError({ message, hint: `take a multiple of ${devices * tileSize}` });
  }
  return (rows / devices) * columns;
}

/** One sub-layer of a tensor-parallel model: product, reduce-scatter, all-gather. */
export interface SubLayer {
  readonly gemm: Timed;
  readonly reduceScatter: Timed;
  readonly allGather: Timed;
  readonly fused: Timed;
  /** Times of all three in turn over those with product and reduce-scatter overlapping, for nothing and as simulated. */
  readonly idealSpeedup: number;
  readonly speedup: number;
}

export function runSubLayer(machine: RingMachine, shape: GemmShape, arbitration: Arbitration): SubLayer {
  const gemm = runGemm(machine, shape);
  const reduceScatter = runReduceScatter(machine, shape);
  const allGather = runAllGather(machine, shape);
  const fused = runFused(machine, shape, arbitration);
  const serial = gemm.time + reduceScatter.time + allGather.time;
  const idealSpeedup = serial / (Math.max(gemm.time, reduceScatter.time) + allGather.time);
  return { gemm, reduceScatter, allGather, fused, idealSpeedup, speedup: serial / (fused.time + allGather.time) };
}
