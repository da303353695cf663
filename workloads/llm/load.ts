/** Files of serving workloads to serving workloads. */
import { dirname, isAbsolute, join } from 'node:path';
import { List } from 'immutable';
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { bitsOf } from '../../arch/language/units.ts';
import type { LlmModel } from './model.ts';
import { buildModel, modelNamed } from './models.ts';
import { Routing } from './routing.ts';
import { type ServingInput, servingSchema } from './schema.ts';
import { DeviceShare, shareMistake } from './share.ts';
import { type Column, readTable } from './table.ts';
import { drawArrivals, drawRequests, PlannedArrival, PlannedRequest, ServingWorkload } from './workload.ts';

/** A workload and where its keys were written, for messages that arise later. */
export interface LoadedServing {
  readonly workload: ServingWorkload;
  /** Where the value of a key stands, such as `['parallel', 'tensor']`. */
  readonly place: (path: Path) => Place;
}

/**
 * A file, or the name of one in workloads/.
 * @throws InputError with the mistakes in the file and in the traces that it names
 */
export function loadServing(file: string): LoadedServing {
  return fromSource(Source.read(fileNamed('workloads', file)));
}

/** The same from a text; `file` is its name in messages, and its folder is where its traces are looked for. */
export function parseServing(text: string, file: string): LoadedServing {
  return fromSource(new Source(text, file));
}

function fromSource(source: Source): LoadedServing {
  const reader = new Reader(source, check(servingSchema, source.value(), source));
  return { workload: reader.workload(), place: (path) => source.placeOf(path) };
}

/** Bytes of a weight, of an element between operators, and of one of K or V. */
export function elementBytes(dtype: ServingInput['dtype']): Pick<DeviceShare, 'weights' | 'activations' | 'cache'> {
  const types = typeof dtype === 'string' ? { weights: dtype, activations: dtype, cache: dtype } : dtype;
  const bytes = (type = 'fp16'): number => bitsOf(type) / 8;
  return { weights: bytes(types.weights), activations: bytes(types.activations), cache: bytes(types.cache) };
}

class Reader {
  readonly #source: Source;
  readonly #input: ServingInput;
  readonly #mistakes: Diagnostic[] = [];

  constructor(source: Source, input: ServingInput) {
    this.#source = source;
    this.#input = input;
  }

  workload(): ServingWorkload {
    const { workload: name, about = '', source = '', serve, parallel, generate } = this.#input;
    const model = this.#model();
    const phase = this.#input.phase ?? (serve ? 'serve' : 'decode');
    this.#checkKeys(phase);
    const [share, layers] = [this.#share(), model ? this.#layers(model) : 1];
    if (model) this.#checkShare(model, share, layers);
    const plan = {
      requests: phase === 'serve' ? List<PlannedRequest>() : this.#requests(),
      arrivals: phase === 'serve' ? this.#arrivals() : List<PlannedArrival>(),
      routing: model ? this.#routing(model) : new Routing(),
    };
    if (this.#mistakes.length > 0 || !model) throw new InputError(this.#mistakes);
    const { pipeline } = parallel;
    const numbers = { layers, pipeline, generate: generate ?? 1, most: serve?.most ?? 1 };
    return new ServingWorkload({ name, about, source, model, share, phase, ...numbers, ...plan });
  }

  #model(): LlmModel | null {
    const { model, workload } = this.#input;
    if (typeof model === 'string') return modelNamed(model, this.#source, ['model'], this.#mistakes);
    return buildModel(workload, model, this.#source, ['model'], this.#mistakes);
  }

  /** Keys that a phase needs, and those that it has no use for. */
  #checkKeys(phase: ServingWorkload['phase']): void {
    const { batch, serve, generate } = this.#input;
    if (phase === 'serve') {
      if (!serve) this.#wrong(['phase'], '"serve" is missing', 'such as "serve: { trace: requests.csv, most: 64 }"');
      if (batch)
        this.#wrongKey('batch', '"batch" has no meaning in phase serve', 'remove it; "serve" has the requests');
    } else {
      if (serve)
        this.#wrongKey('serve', `"serve" has no meaning in phase ${phase}`, 'remove it, or write "phase: serve"');
      if (!batch) this.#wrong([], '"batch" is missing', 'such as "batch: { requests: 64, context: 512 }"');
    }
    if (generate !== undefined && phase !== 'decode')
      this.#wrongKey('generate', `"generate" has no meaning in phase ${phase}`, 'remove it');
  }

  #share(): DeviceShare {
    const { dtype, parallel } = this.#input;
    const { tensor, data, expert } = parallel;
    return new DeviceShare({ tensor, data, expert, ...elementBytes(dtype) });
  }

  #layers(model: LlmModel): number {
    const { layers = model.layers } = this.#input;
    if (layers > model.layers) this.#wrong(['layers'], `${model.name} has ${model.layers} layers, not ${layers}`);
    return Math.min(layers, model.layers);
  }

  #checkShare(model: LlmModel, share: DeviceShare, layers: number): void {
    const { parallel } = this.#input;
    const mistake = shareMistake(model, share);
    if (mistake) this.#wrong(['parallel'], mistake, 'choose other numbers of devices');
    if (parallel.pipeline > layers)
      this.#wrong(['parallel', 'pipeline'], `${layers} layers cannot be cut into ${parallel.pipeline} stages`);
  }

  #requests(): List<PlannedRequest> {
    const { batch, seed } = this.#input;
    if (!batch) return List();
    const { trace, requests, context } = batch;
    if (trace === undefined) {
      if (requests === undefined || context === undefined) {
        const missing = requests === undefined ? 'requests' : 'context';
        this.#wrong(['batch'], `"${missing}" is missing`, 'give requests and context, or a trace');
        return List();
      }
      return drawRequests(requests, context, seed);
    }
    this.#alone('batch', Object.keys(batch));
    const columns: readonly Column[] = [
      { name: 'seq_len', least: 1, whole: true },
      { name: 'ch_idx', least: 0, whole: true, optional: true },
    ];
    return this.#table(trace, ['batch', 'trace'], columns, (row, request) => {
      return new PlannedRequest({ request, context: row.seq_len ?? 1, channel: row.ch_idx });
    });
  }

  #arrivals(): List<PlannedArrival> {
    const { serve, seed } = this.#input;
    if (!serve) return List();
    const { trace, arrivals, prompt, output, seconds, requests } = serve;
    if (trace !== undefined) {
      this.#alone('serve', Object.keys(serve), 'most');
      return this.#arrivalTrace(trace);
    }
    const missing = prompt === undefined ? 'prompt' : output === undefined ? 'output' : null;
    if (missing) this.#wrong(['serve'], `"${missing}" is missing`, `such as "${missing}: 512"; or give a trace`);
    if (requests === undefined && (seconds === undefined || arrivals === undefined)) {
      const hint = arrivals ? 'such as "seconds: 60" or "requests: 500"' : 'such as "requests: 500"';
      this.#wrong(['serve'], 'nothing says how many requests arrive', hint);
      return List();
    }
    if (prompt === undefined || output === undefined) return List();
    const ends = { requests: requests ?? Number.POSITIVE_INFINITY, seconds: seconds ?? Number.POSITIVE_INFINITY };
    const drawn = drawArrivals({ arriving: arrivals, prompt, output, ...ends }, seed);
    if (drawn.isEmpty()) this.#wrong(['serve', 'seconds'], 'no request arrives in that time', 'let it be longer');
    return drawn;
  }

  #arrivalTrace(trace: string): List<PlannedArrival> {
    const columns: readonly Column[] = [
      { name: 'arrival_s', least: 0, whole: false },
      { name: 'prompt', least: 1, whole: true },
      { name: 'output', least: 1, whole: true },
    ];
    const found = this.#table(
      trace,
      ['serve', 'trace'],
      columns,
      ({ arrival_s = 0, prompt = 1, output = 1 }, request) => {
        return new PlannedArrival({ request, at: Math.round(arrival_s * 1e12), prompt, output });
      },
    );
    return found.sortBy(({ at }) => at);
  }

  #routing(model: LlmModel): Routing {
    const { routing, seed } = this.#input;
    if (routing === undefined) return new Routing({ kind: model.experts > 0 ? 'uniform' : 'even', seed });
    if (model.experts === 0) {
      this.#wrongKey('routing', `${model.name} has no experts`, 'remove "routing"');
      return new Routing();
    }
    if (!('trace' in routing)) return new Routing({ ...routing, seed });
    return new Routing({ kind: 'trace', weights: this.#routingTrace(routing.trace, model), seed });
  }

  /** Weights of experts by layer with experts, as the tokens that the trace counts. */
  #routingTrace(trace: string, { experts, activeExperts, name }: LlmModel): List<List<number>> {
    const columns = ['layer', 'expert', 'tokens'].map((column): Column => ({ name: column, least: 0, whole: true }));
    const path = ['routing', 'trace'];
    const rows = this.#table(trace, path, columns, ({ layer = 0, expert = 0, tokens = 0 }) => ({
      layer,
      expert,
      tokens,
    }));
    const wrong = rows.find(({ expert }) => expert >= experts);
    if (wrong) {
      this.#wrong(path, `the trace has an expert ${wrong.expert}, but ${name} has ${experts} from 0`);
      return List();
    }
    const layers = 1 + (rows.map(({ layer }) => layer).max() ?? -1);
    const weights = Array.from({ length: layers }, () => new Array<number>(experts).fill(0));
    for (const { layer, expert, tokens } of rows) weights[layer]![expert]! += tokens;
    const short = weights.findIndex((row) => row.filter((tokens) => tokens > 0).length < activeExperts);
    if (short >= 0)
      this.#wrong(
        path,
        `in layer ${short} of the trace fewer than ${activeExperts} experts have tokens`,
        'number layers with experts from 0',
      );
    return List(weights.map((row) => List(row)));
  }

  #table<T>(
    trace: string,
    path: Path,
    columns: readonly Column[],
    read: (row: ReturnType<typeof readTable>[number], index: number) => T,
  ): List<T> {
    const file = isAbsolute(trace) ? trace : join(dirname(this.#source.file), trace);
    try {
      return List(readTable(file, columns, this.#source.placeOf(path)).map(read));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#mistakes.push(...error.diagnostics);
      return List();
    }
  }

  /** A trace leaves nothing to be drawn. */
  #alone(key: 'batch' | 'serve', keys: readonly string[], ...fine: readonly string[]): void {
    for (const other of keys.filter((one) => one !== 'trace' && !fine.includes(one))) {
      const place = this.#source.placeOfKey([key, other]);
      this.#mistakes.push({ message: `"${other}" stands beside "trace"`, place, hint: 'remove one of them' });
    }
  }

  #wrong(path: Path, message: string, hint?: string): void {
    this.#mistakes.push({ message, place: this.#source.placeOf(path), hint });
  }

  #wrongKey(key: string, message: string, hint: string): void {
    this.#mistakes.push({ message, place: this.#source.placeOfKey([key]), hint });
  }
}
