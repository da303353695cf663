/** Runs lists of operators on a device: each as soon as those before it are done and its unit is free. */
import type { List } from 'immutable';
import { InputError } from '../../arch/language/diagnostics.ts';
import { placementOf, type ServingMapping, type Side } from '../../workloads/language/serving-mapping.ts';
import { type Attention, bytes, type Experts, flops, type Operator } from '../../workloads/llm/operator.ts';
import type { Device } from './device.ts';
import { splitExperts } from './experts.ts';
import type { Run } from './memory.ts';
import {
  arraySteps,
  checkActivations,
  type Instance,
  newCacheRuns,
  operationsOf,
  outputBytes,
  type StepOptions,
  vectorStepsOf,
} from './operators.ts';
import { AttentionChain } from './pim-attention.ts';
import { PimWork } from './pim-work.ts';
import { Space } from './space.ts';
import { type Step, Streamed } from './streamed.ts';
import type { Unit } from './unit.ts';

/** What runs an operator: a side of the device, or the links to others. */
export type Place = Side | 'link';

/** What runs of one operator have in common, all layers and sub-batches together. */
export interface OperatorRecord {
  readonly name: string;
  readonly kind: Operator['kind'];
  readonly place: Place;
  runs: number;
  /** All runs together: operations, and bytes of operands and results as if nothing stayed on the chip. */
  flops: number;
  bytes: number;
  /** What lanes or PEs did, by name. */
  readonly operations: Map<string, number>;
  /** Picoseconds: of the first start, of the last end, and from start to end, added up over the runs. */
  start: number;
  end: number;
  time: number;
  /** Picoseconds of these before their unit began with them. */
  waited: number;
  /** Cycles of the unit's clock in which it was at work. */
  busy: number;
}

/** One run of an operator; times in picoseconds. */
export interface OperatorRun {
  readonly name: string;
  readonly place: Place;
  readonly subBatch: number;
  readonly start: number;
  readonly end: number;
}

/** Told of the operators of one list. */
type Done = (ps: number) => void;

/** Told when an operator has ended, and when its unit began with it. */
type Ended = (ps: number, began: number) => void;

export class Executor {
  readonly records = new Map<string, OperatorRecord>();
  /** Runs of the operators of the watched layer. */
  readonly runs: OperatorRun[] = [];
  /** The layer of which runs are kept; null for none. */
  watched: number | null = null;
  readonly #device: Device;
  readonly #mapping: ServingMapping;
  readonly #space: Space;
  readonly #options: StepOptions;
  readonly #work: PimWork | null;
  /** Attention under way in the memory, by layer, sub-batch and phase. */
  readonly #chains = new Map<string, AttentionChain>();
  /** By unit: what waits for it. */
  readonly #waiting = new Map<Unit, Done[]>();

  /** @throws InputError when another memory than that of the engines would have to compute */
  constructor(device: Device, mapping: ServingMapping) {
    this.#device = device;
    this.#mapping = mapping;
    // What is computed on in the memory has the first half of the rows.
    this.#space = new Space(device.grain, device.pim ? Math.floor(device.rows / 2) * device.banks * device.grain : 0);
    this.#work = pimWorkOf(device, mapping);
    this.#options = {
      space: this.#space,
      sharing: mapping.arrays,
      grain: device.grain,
      scratchpad: device.parts.scratchpad,
      activations: mapping.activations,
    };
  }

  /** Runs a list of operators of one layer for one sub-batch. */
  run(operators: List<Operator>, layer: number, subBatch: number, ps: number, done: Done): void {
    const left = operators.toArray().map(({ after }) => after.length);
    let unfinished = operators.size;
    if (unfinished === 0) {
      done(ps);
      return;
    }
    const start = (index: number, at: number): void => {
      const operator = operators.get(index)!;
      this.#start(operator, this.#instanceOf(operators, index, layer, subBatch), at, (end) => {
        operators.forEach(({ after }, next) => {
          if (after.includes(index) && --left[next]! === 0) start(next, end);
        });
        if (--unfinished === 0) done(end);
      });
    };
    operators.forEach(({ after }, index) => {
      if (after.length === 0) start(index, ps);
    });
  }

  #placeOf(operator: Operator): Place {
    return operator.kind === 'collective' ? 'link' : placementOf(this.#mapping, operator);
  }

  #instanceOf(operators: List<Operator>, index: number, layer: number, subBatch: number): Instance {
    const { after } = operators.get(index)!;
    const of = (name: string, bytes: number) => this.#space.placeOf(`${subBatch} ${name}`, bytes);
    const from = (n: number) => {
      const before = operators.get(after[n] ?? -1);
      return before ? of(before.name, outputBytes(before)) : of('input', outputBytes(operators.get(index)!));
    };
    const own = operators.get(index)!;
    return { layer, subBatch, input: from(0), second: from(1), output: of(own.name, outputBytes(own)) };
  }

  #start(operator: Operator, instance: Instance, ps: number, done: Done): void {
    if (operator.kind === 'experts' && this.#mapping.experts === 'split') this.#split(operator, instance, ps, done);
    else this.#startOn(this.#placeOf(operator), operator, instance, ps, done);
  }

  /** Starts experts on the array and in the memory; done when both are. */
  #split(operator: Experts, instance: Instance, ps: number, done: Done): void {
    const split = splitExperts(operator, this.#device.peaks);
    const sides = (['array', 'pim'] as const).filter((side) => split[side].some((tokens) => tokens > 0));
    let left = sides.length;
    if (left === 0) done(ps);
    for (const side of sides) {
      this.#startOn(side, { ...operator, tokens: split[side] }, instance, ps, (end) => {
        if (--left === 0) done(end);
      });
    }
  }

  #startOn(place: Place, operator: Operator, instance: Instance, ps: number, done: Done): void {
    const record = this.#recordOf(operator, place, ps);
    const ended = (end: number, began: number): void => {
      record.runs++;
      record.flops += flops(operator);
      record.bytes += bytes(operator);
      for (const [name, count] of operationsOf(operator)) {
        record.operations.set(name, (record.operations.get(name) ?? 0) + count);
      }
      record.end = Math.max(record.end, end);
      record.time += end - ps;
      record.waited += Math.max(0, began - ps);
      if (instance.layer === this.watched) {
        this.runs.push({ name: operator.name, place, subBatch: instance.subBatch, start: began, end });
      }
      done(end);
    };
    const chain = this.#chains.get(chainOf(operator, instance));
    if (chain && (operator.kind === 'softmax' || operator.kind === 'context')) {
      chain.whenDone(operator.kind, ps, ended);
      return;
    }
    checkActivations(operator, this.#options);
    if (operator.kind === 'scores' && this.#mapping.activations === 'scratchpad') {
      const runs = this.#newCache(operator, instance, place);
      // In a memory, scores begin with that.
      const done: Ended = (end, began) => ended(end, place === 'pim' ? ps : began);
      this.#device.memory.submit(ps, runs, true, (at) => {
        this.#device.events.at(at, () => this.#begin(place, operator, instance, at, record, done));
      });
    } else this.#begin(place, operator, instance, ps, record, ended);
  }

  /** Where the keys and values of new tokens go. Where activations are in memory, the product that makes them wrote them. */
  #newCache(operator: Attention, { layer }: Instance, place: Place): Run[] {
    if (place === 'pim' && this.#work && !this.#work.fillsFromRow) return this.#work.appended(operator, layer);
    return newCacheRuns(operator, layer, this.#options);
  }

  #begin(place: Place, operator: Operator, instance: Instance, ps: number, record: OperatorRecord, ended: Ended): void {
    switch (place) {
      case 'link': {
        const { link } = this.#device;
        if (operator.kind !== 'collective') throw new Error(`${operator.name} is no collective`);
        const time = this.#device.collectiveTime(operator);
        const end = link.occupy(ps, time);
        this.#device.events.at(end, () => ended(end, end - time));
        return;
      }
      case 'array':
      case 'vector':
        this.#stream(place, operator, instance, ps, record, ended);
        return;
      case 'pim':
        this.#compute(operator, instance, ps, ended);
        return;
    }
  }

  /** Runs an operator on the array or the vector unit when what began there before has ended. */
  #stream(
    place: 'array' | 'vector',
    operator: Operator,
    instance: Instance,
    ps: number,
    record: OperatorRecord,
    done: Ended,
  ): void {
    const device = this.#device;
    const unit = device[place];
    if (unit === null) throw new Error(`${device.arch.name} has no ${place}`);
    const around = { events: device.events, memory: device.memory, room: this.#options.scratchpad };
    this.#inTurn(unit, ps, (at, next) => {
      const steps = this.#stepsOf(place, operator, instance);
      record.busy += steps.reduce((sum, { cycles }) => sum + cycles, 0);
      new Streamed(steps, unit, at, around, (end) => {
        next(end);
        done(end, at);
      });
    });
  }

  /** Runs an operator in the memory. Scores begin all of attention: what follows goes on head by head. */
  #compute(operator: Operator, instance: Instance, ps: number, done: Ended): void {
    const { pim, events } = this.#device;
    const work = this.#work;
    if (pim === null || work === null) throw new Error(`${this.#device.arch.name} computes nothing in its memory`);
    if (operator.kind === 'matmul' || operator.kind === 'experts') {
      const { jobs, additions } = work.product(operator, instance.layer);
      if (jobs.length === 0) done(ps, ps);
      let left = 0;
      for (const { channel, program } of jobs) {
        left += pim.job(ps, channel, program, (end) => {
          events.at(end, () => {
            if (--left > 0) return;
            const sum = this.#device.add(additions, end);
            events.at(sum, () => done(sum, ps));
          });
        });
      }
      return;
    }
    if (operator.kind !== 'scores') throw new InputError({ message: `${operator.name} cannot run in a memory` });
    const chain = new AttentionChain(operator, this.#contextOf(operator, instance), work, this.#device, ps);
    this.#chains.set(chainOf(operator, instance), chain);
    chain.whenDone('scores', ps, done);
  }

  /** The instance with the place for contexts of all heads, of no width when they stay on the chip. */
  #contextOf(operator: Attention, instance: Instance): Instance {
    const isKept = this.#mapping.activations === 'scratchpad';
    const bytes = isKept ? 0 : outputBytes({ ...operator, kind: 'context' });
    return { ...instance, output: this.#space.placeOf(`${instance.subBatch} context`, bytes) };
  }

  #stepsOf(place: 'array' | 'vector', operator: Operator, instance: Instance): Step[] {
    const { array, vector } = this.#device.parts;
    if (place === 'array' && array !== null && operator.kind !== 'vector' && operator.kind !== 'collective') {
      return arraySteps(array.part, operator, instance, this.#options);
    }
    const isVector = operator.kind !== 'matmul' && operator.kind !== 'experts' && operator.kind !== 'collective';
    if (place === 'vector' && vector !== null && isVector) {
      return vectorStepsOf(vector.part, operator, instance, this.#options);
    }
    throw new InputError({
      message: `${operator.name} cannot run on ${place === 'array' ? 'an array' : 'a vector unit'}`,
      hint: 'place it elsewhere in the mapping',
    });
  }

  /** Begins something on a unit after all that waits for it; `begin` is given what to call at its end. */
  #inTurn(unit: Unit, ps: number, begin: (ps: number, next: Done) => void): void {
    const waiting = this.#waiting.get(unit);
    const next = (end: number): void => {
      const [first] = this.#waiting.get(unit)!.splice(0, 1);
      if (first) first(end);
      else this.#waiting.delete(unit);
    };
    if (waiting) {
      waiting.push((at) => begin(at, next));
      return;
    }
    this.#waiting.set(unit, []);
    begin(ps, next);
  }

  #recordOf({ name, kind }: Operator, place: Place, ps: number): OperatorRecord {
    const key = `${name} ${place}`;
    const known = this.records.get(key);
    if (known) return known;
    const record = {
      name,
      kind,
      place,
      runs: 0,
      flops: 0,
      bytes: 0,
      operations: new Map<string, number>(),
      start: ps,
      end: ps,
      time: 0,
      waited: 0,
      busy: 0,
    };
    this.records.set(key, record);
    return record;
  }
}

/** What runs in the memory; null where nothing does. @throws InputError as the executor does */
function pimWorkOf({ arch, pim, channels, memoryName }: Device, mapping: ServingMapping): PimWork | null {
  const isUsed = mapping.experts === 'split' || mapping.place.some(({ on }) => on === 'pim');
  if (!isUsed) return null;
  if (pim) return new PimWork(pim.device, channels, mapping);
  throw new InputError({
    message: `${arch.name} computes in another memory than ${memoryName}, which its engines have: such machines do not serve yet`,
    hint: 'use a mapping that places nothing on "pim", or a machine whose main memory computes',
  });
}

/** What tells the parts of one attention from those of others. */
function chainOf(operator: Operator, { layer, subBatch }: Instance): string {
  return 'phase' in operator ? `${layer} ${subBatch} ${operator.phase}` : '';
}
