/** Times of an SSD's flash as numbers, ps. */
import { planesOf, type SsdBus, type SsdPart } from '../../../arch/language/ssd/part.ts';

/** Kinds of what flash does. */
export const read = 0;
export const program = 1;
export const erase = 2;

/** The shape of an SSD's flash and its times, in plain numbers. */
export class FlashTiming {
  readonly channels: number;
  /** What runs one command at a time, on each channel and in all: chips, or their dies. */
  readonly unitsOnChannel: number;
  readonly units: number;
  readonly planesOfUnit: number;
  readonly planesOfDie: number;
  readonly planes: number;
  readonly blocks: number;
  readonly pages: number;
  /** Pages of a plane. */
  readonly pagesOfPlane: number;
  readonly pageBytes: number;
  /** Command and addresses on the bus, by how many planes take part, from 1. */
  readonly #commands: readonly [reads: Float64Array, programs: Float64Array, erases: Float64Array];
  readonly #read: Float64Array;
  readonly #program: Float64Array;
  readonly #erase: number;
  /** Bytes of a cycle, and its length. */
  readonly #cycleBytes: number;
  readonly #cycle: number;
  /** Before data go out. */
  readonly #setup: number;

  constructor({ flash, bus }: SsdPart) {
    const { channels, chips, dies, planes } = flash;
    this.channels = channels;
    this.unitsOnChannel = chips * (flash.busy === 'die' ? dies : 1);
    this.units = channels * this.unitsOnChannel;
    this.planesOfDie = planes;
    this.planes = planesOf(flash);
    this.planesOfUnit = this.planes / this.units;
    this.blocks = flash.blocks;
    this.pages = flash.pages;
    this.pagesOfPlane = flash.blocks * flash.pages;
    this.pageBytes = flash.page;
    this.#commands = [
      Float64Array.from({ length: planes + 1 }, (_, n) => readCommand(bus, n)),
      Float64Array.from({ length: planes + 1 }, (_, n) => programCommand(bus, n)),
      Float64Array.from({ length: planes + 1 }, (_, n) => eraseCommand(bus, n)),
    ];
    this.#read = Float64Array.from(flash.read, (ps) => ps + flash.ready);
    this.#program = Float64Array.from(flash.program);
    this.#erase = flash.erase;
    this.#cycleBytes = 2 * bus.width;
    this.#cycle = bus.cycle;
    this.#setup = bus.tRPRE + bus.tDQSRE;
  }

  /** Command and addresses of a kind on so many planes. */
  command(kind: number, planes: number): number {
    return this.#commands[kind]![planes]!;
  }

  /** From the end of the command to the ready signal; `page` is the page within its block. */
  array(kind: number, page: number): number {
    if (kind === read) return this.#read[page % this.#read.length]!;
    return kind === program ? this.#program[page % this.#program.length]! : this.#erase;
  }

  /** Bytes over the bus: data into a register. */
  dataIn(bytes: number): number {
    return Math.ceil(bytes / this.#cycleBytes) * this.#cycle;
  }

  /** Bytes over the bus: data out of a register. */
  dataOut(bytes: number): number {
    return this.#setup + this.dataIn(bytes);
  }
}

/** ONFI: command, five address cycles, confirmation for each plane; a plane is queued in tDBSY. */
function readCommand({ tCS, tWC, tDBSY, tWB, tRR }: SsdBus, planes: number): number {
  return tCS + planes * 6 * tWC + (planes - 1) * tDBSY + tWB + tRR;
}

function programCommand({ tCS, tWC, tDBSY, tWB, tADL, tCALS, tWPST, tWPSTH }: SsdBus, planes: number): number {
  const queued = 5 * tWC + tADL + tWPST + tCALS + tWB + tDBSY;
  return tCS + (planes - 1) * queued + 6 * tWC + tADL + tWPST + tWPSTH + tWB;
}

function eraseCommand({ tCS, tWC, tDBSY, tWB }: SsdBus, planes: number): number {
  return tCS + planes * (4 * tWC + tWB) + (planes - 1) * tDBSY;
}
