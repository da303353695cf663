/** How a large language model is laid on a machine that serves it: which side runs an operator, and what lies where. */
import { List, OrderedMap, Record } from 'immutable';
import { z } from 'zod';
import { type Diagnostic, InputError, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { count, intensity } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';

/** Kinds of operators of a layer, and the names of those of a kind that has several. */
const operators = {
  matmul: ['qkv', 'projection', 'ffn-up', 'ffn-gate', 'ffn-down', 'router', 'lm-head'],
  experts: ['expert-up', 'expert-gate', 'expert-down'],
  scores: [],
  softmax: [],
  context: [],
  vector: ['embedding', 'attention-norm', 'ffn-norm', 'final-norm', 'residual', 'gelu', 'silu', 'relu', 'rope'],
} as const;

export type OperatorKind = keyof typeof operators;
export const operatorKinds = Object.keys(operators) as OperatorKind[];

/** What runs an operator: the arrays, the vector units, or the memory that computes. */
export const sides = ['array', 'vector', 'pim'] as const;
export type Side = (typeof sides)[number];

export const phases = ['prefill', 'decode'] as const;
export type Phase = (typeof phases)[number];

/** Where operators run for which all that is given holds. */
export class PlacementRule extends Record<{
  /** Kinds and names of operators; null: of any. */
  operators: List<string> | null;
  /** Operations per byte that the operator has fewer of; null: of any. */
  below: number | null;
  /** What its requests do; null: either. */
  phase: Phase | null;
  on: Side;
}>({ operators: null, below: null, phase: null, on: 'array' }, 'PlacementRule') {}

/** Tensors that may be laid out, and what their indices are called. */
const laid = {
  keys: ['request', 'head', 'token', 'dimension'],
  values: ['request', 'head', 'token', 'dimension'],
  weights: ['expert', 'output', 'input'],
} as const;

export type LaidTensor = keyof typeof laid;

/**
 * For indices of a tensor, the levels of the memory that they run over: the first level fastest, and in what is left of an
 * index the next row. A level counts its nodes below the nearest level above it that the layout names, or the channel.
 */
export type Layout = OrderedMap<string, List<string>>;

/** How requests come to channels: in turn, so that the work is even, or as the trace says. */
export const channelRules = ['round-robin', 'balanced', 'given'] as const;

export class ServingMapping extends Record<{
  name: string;
  about: string;
  source: string;
  /** Names that it was written for; `llm` and empty: any. */
  workload: string;
  machine: string;
  /** The first one that fits holds. */
  place: List<PlacementRule>;
  layout: OrderedMap<LaidTensor, Layout>;
  channels: (typeof channelRules)[number];
  /** Parts of a batch that are in flight on one device, a stage apart. */
  subBatches: number;
  /** `split`: experts are shared out to array and memory so that both end at the same time; `placed`: by `place`. */
  experts: 'placed' | 'split';
}>(
  {
    name: '',
    about: '',
    source: '',
    workload: '',
    machine: '',
    place: List(),
    layout: OrderedMap(),
    channels: 'round-robin',
    subBatches: 1,
    experts: 'placed',
  },
  'ServingMapping',
) {}

/** A mapping and where its parts were written, for messages that arise later. */
export interface LoadedServingMapping {
  readonly mapping: ServingMapping;
  readonly place: (path: Path, atKey?: boolean) => Place;
}

/** What a rule asks of an operator. `intensity`: operations per byte. */
export interface Placeable {
  readonly kind: OperatorKind;
  readonly name: string;
  readonly phase: Phase;
  readonly intensity: number;
}

/** Where an operator runs: by the first rule that fits. A loaded mapping has one for every operator. */
export function placementOf({ place }: ServingMapping, operator: Placeable): Side {
  const rule = place.find(
    ({ operators: named, below, phase }) =>
      (named === null || named.includes(operator.kind) || named.includes(operator.name)) &&
      (below === null || operator.intensity < below) &&
      (phase === null || operator.phase === phase),
  );
  if (!rule) throw new Error(`nothing says where ${operator.name} runs`);
  return rule.on;
}

const name = z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]);
const levels = name.describe('A level of the memory, or several, the fastest first');

const rule = z.strictObject({
  operators: name.optional().describe('Kinds or names of operators; all when omitted'),
  below: intensity.optional().describe('Only operators with fewer operations per byte'),
  phase: z.enum(phases).optional().describe('Only operators of requests that do this'),
  on: z.enum(sides).describe('What runs them'),
});

const layoutOf = (indices: readonly string[]) =>
  z.strictObject(Object.fromEntries(indices.map((index) => [index, levels.optional()]))).optional();

const servingSchema = z.strictObject({
  mapping: z
    .string()
    .describe('Name')
    .meta({ examples: ['my-mapping'] }),
  about: z.string().default(''),
  source: z.string().default(''),
  workload: z.string().default('').describe('Workload that it is for; llm: any'),
  machine: z.string().default('').describe('Machine that it is for'),
  place: z.array(rule).min(1).describe('Where operators run: the first rule that fits holds'),
  layout: z
    .strictObject({ keys: layoutOf(laid.keys), values: layoutOf(laid.values), weights: layoutOf(laid.weights) })
    .default({})
    .describe('What runs over which levels of the memory'),
  channels: z.enum(channelRules).default('round-robin').describe('How requests come to channels'),
  'sub-batches': count.default(1).describe('Parts of a batch in flight on one device'),
  experts: z
    .enum(['placed', 'split'])
    .default('placed')
    .describe('split: shared out to array and memory so that both end at the same time'),
});

/** JSON Schema of the file of a serving mapping, for editors. */
export function servingJsonSchema(): object {
  return z.toJSONSchema(servingSchema, { io: 'input' });
}

/** A file, or the name of one in workloads/mappings/. @throws InputError with every mistake in the file. */
export function loadServingMapping(file: string): LoadedServingMapping {
  return fromSource(Source.read(fileNamed('workloads/mappings', file)));
}

/** The same from a text; `file` is its name in messages. */
export function parseServingMapping(text: string, file: string): LoadedServingMapping {
  return fromSource(new Source(text, file));
}

type Written = z.output<typeof servingSchema>;

function fromSource(source: Source): LoadedServingMapping {
  const written = check(servingSchema, source.value(), source);
  const place = (path: Path, atKey = false): Place => (atKey ? source.placeOfKey(path) : source.placeOf(path));
  const names = wrongNames(written, place);
  const mistakes = [...(names.length > 0 ? names : wrongOrder(written, place)), ...wrongLayout(written, place)];
  if (mistakes.length > 0) throw new InputError(mistakes);
  return { mapping: mappingOf(written), place };
}

function mappingOf({ mapping, place, layout, 'sub-batches': subBatches, ...rest }: Written): ServingMapping {
  return new ServingMapping({
    ...rest,
    name: mapping,
    place: List(
      place.map(
        ({ operators: named, below = null, phase = null, on }) =>
          new PlacementRule({ operators: named ? List(named) : null, below, phase, on }),
      ),
    ),
    layout: OrderedMap(
      layouts(layout).map(([tensor, indices]) => [tensor, OrderedMap(indices.map(([i, at]) => [i, List(at)]))]),
    ),
    subBatches,
  });
}

/** The layouts of a file by tensor, and of each its indices with their levels, in the order of the file. */
function layouts(layout: Written['layout']): [LaidTensor, [string, string[]][]][] {
  const given = Object.entries(layout) as [LaidTensor, { [index: string]: string[] | undefined } | undefined][];
  return given.flatMap(([tensor, indices]) =>
    indices
      ? [[tensor, Object.entries(indices).flatMap(([i, at]): [string, string[]][] => (at ? [[i, at]] : []))]]
      : [],
  );
}

type PlaceOf = LoadedServingMapping['place'];

/** All operators that a kind or a name means. */
function namedBy(one: string): readonly string[] {
  const kind = operatorKinds.find((known) => known === one);
  if (kind === undefined) return [one];
  return operators[kind].length > 0 ? operators[kind] : [kind];
}

/** Operators that there are not. */
function wrongNames({ place: rules }: Written, place: PlaceOf): Diagnostic[] {
  const known = operatorKinds.flatMap((kind): string[] => [kind, ...operators[kind]]);
  return rules.flatMap(({ operators: named = [] }, i) =>
    named.flatMap((one, j): Diagnostic[] => {
      if (known.includes(one)) return [];
      const at = place(['place', i, 'operators', j]);
      return [{ message: `there is no operator "${one}"`, place: at, hint: suggest(one, known) }];
    }),
  );
}

/** Rules to which those above leave nothing, and operators that no rule is sure to fit. */
function wrongOrder({ place: rules }: Written, place: PlaceOf): Diagnostic[] {
  const left = new Set(operatorKinds.flatMap(namedBy));
  const mistakes: Diagnostic[] = [];
  rules.forEach(({ operators: named, below, phase }, i) => {
    const meant = named?.flatMap(namedBy) ?? [...left];
    if (!meant.some((one) => left.has(one))) {
      const message = 'the rules above it leave nothing to this one';
      mistakes.push({ message, place: place(['place', i]), hint: 'move it up, or take it away' });
    }
    if (below === undefined && phase === undefined) for (const one of meant) left.delete(one);
  });
  if (left.size > 0) {
    const first = [...left].slice(0, 3).join(', ');
    const message = `nothing says where ${first}${left.size > 3 ? ` and ${left.size - 3} more` : ''} run`;
    mistakes.push({
      message,
      place: place(['place'], true),
      hint: 'end with a rule for all others: "- { on: array }"',
    });
  }
  return mistakes;
}

/** Levels that two indices of a tensor would run over; those of a row they may share. */
function wrongLayout({ layout }: Written, place: PlaceOf): Diagnostic[] {
  return layouts(layout).flatMap(([tensor, indices]) => {
    const taken = new Map<string, string>();
    return indices.flatMap(([index, at]) =>
      at.flatMap((level): Diagnostic[] => {
        const other = taken.get(level);
        taken.set(level, index);
        if (other === undefined || level === 'row' || level === 'column') return [];
        const message = `${other} and ${index} of ${tensor} both run over ${level}`;
        return [
          {
            message,
            place: place(['layout', tensor, index]),
            hint: 'an index may run over several levels, a level has one',
          },
        ];
      }),
    );
  });
}
