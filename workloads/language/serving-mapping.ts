/** How a large language model is laid on a machine that serves it: which side runs an operator, and what lies where. */
import { List, OrderedMap, Record } from 'immutable';
import { z } from 'zod';
import { type Diagnostic, InputError, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { count, intensity } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { type Collective, type Operator, opPerByte, type Phase } from '../llm/operator.ts';

/** Operators that run on an engine; what devices send to one another goes over links. */
export type EngineOperator = Exclude<Operator, Collective>;

/** Kinds of operators, and the names of those of a kind that has several. */
export const operatorNames: { readonly [kind in EngineOperator['kind']]: readonly string[] } = {
  matmul: ['qkv', 'projection', 'ffn-gate', 'ffn-up', 'ffn-down', 'router', 'lm-head'],
  experts: ['expert-gate', 'expert-up', 'expert-down'],
  scores: [],
  softmax: [],
  context: [],
  vector: [
    ...['embedding', 'attention-norm', 'rotary', 'attention-residual', 'ffn-norm', 'gelu', 'silu', 'relu', 'gate'],
    ...['routing', 'combine', 'ffn-residual', 'final-norm'],
  ],
};

const kinds = Object.keys(operatorNames) as EngineOperator['kind'][];

/** What runs an operator: the arrays, the vector units, or the memory that computes. */
export const sides = ['array', 'vector', 'pim'] as const;
export type Side = (typeof sides)[number];

/** Where operators run for which all that is given holds. */
export class PlacementRule extends Record<{
  /** Kinds and names of operators; null: any. */
  operators: List<string> | null;
  /** Operations per byte that the operator has fewer of; null: of any. */
  below: number | null;
  /** What the requests of a part of attention do; null: either. */
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

export const arraySharing = ['folds', 'outputs'] as const;

/** Where what operators hand on to each other is kept between them. */
export const activationPlaces = ['memory', 'scratchpad'] as const;

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
  /** What of a product arrays that are several share out: its folds, or the outputs that stream through each fold. */
  arrays: (typeof arraySharing)[number];
  /** `memory`: arrays and vector units read and write them there; `scratchpad`: all of them stay on the chip. */
  activations: (typeof activationPlaces)[number];
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
    arrays: 'folds',
    activations: 'memory',
  },
  'ServingMapping',
) {}

/** A mapping and where its parts were written, for messages that arise later. */
export interface LoadedServingMapping {
  readonly mapping: ServingMapping;
  readonly place: (path: Path, atKey?: boolean) => Place;
}

/** Where an operator runs: by the first rule that fits. A loaded mapping has one for every operator. */
export function placementOf({ place }: ServingMapping, operator: EngineOperator): Side {
  const rule = place.find(
    ({ operators, below, phase }) =>
      (operators === null || operators.includes(operator.kind) || operators.includes(operator.name)) &&
      (below === null || opPerByte(operator) < below) &&
      (phase === null || ('phase' in operator && operator.phase === phase)),
  );
  if (!rule) throw new Error(`nothing says where ${operator.name} runs`);
  return rule.on;
}

const name = z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]);
const levels = name.describe('A level of the memory, or several, the fastest first');

const rule = z.strictObject({
  operators: name.optional().describe('Kinds or names of operators; when omitted all, or on pim all products'),
  below: intensity.optional().describe('Only operators with fewer operations per byte'),
  phase: z.enum(['prefill', 'decode']).optional().describe('Only parts of attention of requests that do this'),
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
  arrays: z.enum(arraySharing).default('folds').describe('What of a product several arrays share out'),
  activations: z
    .enum(activationPlaces)
    .default('memory')
    .describe('Where activations are between operators on arrays and vector units'),
});

/** JSON Schema of the file of a serving mapping, for editors. */
export function servingMappingJsonSchema(): object {
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
        ({ below = null, phase = null, on, ...rule }) =>
          new PlacementRule({ operators: operatorsOf({ on, ...rule }), below, phase, on }),
      ),
    ),
    layout: OrderedMap(
      layouts(layout).map(([tensor, indices]) => [tensor, OrderedMap(indices.map(([i, at]) => [i, List(at)]))]),
    ),
    subBatches,
  });
}

/** Operators that multiply, which is what memories do. */
export const products: readonly string[] = [
  'matmul',
  'experts',
  'scores',
  'context',
] satisfies EngineOperator['kind'][];

/** Operators of a rule; without any, memories take products only. Null: all. */
function operatorsOf({ operators, on }: Written['place'][number]): List<string> | null {
  if (operators) return List(operators);
  return on === 'pim' ? List(products) : null;
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
  const kind = kinds.find((known) => known === one);
  if (kind === undefined) return [one];
  return operatorNames[kind].length > 0 ? operatorNames[kind] : [kind];
}

/** Parts of attention, which have a phase. */
const attention: readonly string[] = ['scores', 'softmax', 'context'];
const phases: readonly string[] = ['prefill', 'decode'];

/** Operators that there are not, and phases of such as have none. */
function wrongNames({ place: rules }: Written, place: PlaceOf): Diagnostic[] {
  const known = kinds.flatMap((kind): string[] => [kind, ...operatorNames[kind]]);
  return rules.flatMap(({ operators = [], phase }, i) =>
    operators.flatMap((one, j): Diagnostic[] => {
      const at = place(['place', i, 'operators', j]);
      if (!known.includes(one))
        return [{ message: `there is no operator "${one}"`, place: at, hint: suggest(one, known) }];
      if (phase === undefined || attention.includes(one)) return [];
      return [
        {
          message: `${one} works for all requests, whatever their phase`,
          place: at,
          hint: `of ${attention.join(', ')}`,
        },
      ];
    }),
  );
}

/** Rules to which those above leave nothing, and operators that no rule is sure to fit. */
function wrongOrder({ place: rules }: Written, place: PlaceOf): Diagnostic[] {
  const all = kinds.flatMap(namedBy);
  const left = new Map(all.map((one) => [one, new Set(attention.includes(one) ? phases : ['any'])]));
  const mistakes: Diagnostic[] = [];
  rules.forEach((rule, i) => {
    const { below, phase } = rule;
    const meant = operatorsOf(rule)?.toArray().flatMap(namedBy) ?? all;
    const reached = meant.filter((one) => (phase === undefined ? left.has(one) : left.get(one)?.has(phase)));
    if (reached.length === 0) {
      const message = 'the rules above it leave nothing to this one';
      mistakes.push({ message, place: place(['place', i]), hint: 'move it up, or take it away' });
    }
    if (below !== undefined) return;
    for (const one of reached) {
      if (phase !== undefined) left.get(one)?.delete(phase);
      if (phase === undefined || left.get(one)?.size === 0) left.delete(one);
    }
  });
  if (left.size > 0) {
    const first = [...left.keys()].slice(0, 3).join(', ');
    const message = `nothing says where ${first}${left.size > 3 ? ` and ${left.size - 3} more` : ''} run`;
    const hint = 'end with a rule for all others: "- { on: array }"';
    mistakes.push({ message, place: place(['place'], true), hint });
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
