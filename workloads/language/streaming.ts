/** Workloads that move data: copies of devices, and loops of the host's cores over tensors. */
import { Map as ImmutableMap, List, Record } from 'immutable';
import { z } from 'zod';
import { type Diagnostic, InputError, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { operationNames } from '../../arch/language/operations.ts';
import { count, parsed } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { parseSize } from '../../arch/language/units.ts';

/** A tensor: its bytes, and those of an element where it has elements. */
export class StreamTensor extends Record<{ name: string; bytes: number; element: number | null }>(
  { name: '', bytes: 0, element: null },
  'StreamTensor',
) {}

/** Each device copies a tensor of its own from the host's memory, or to it. */
export class CopyStep extends Record<{ kind: 'copy'; name: string; tensor: string; toHost: boolean }>(
  { kind: 'copy', name: '', tensor: '', toHost: false },
  'CopyStep',
) {}

/** The cores go over tensors element by element. */
export class LoopStep extends Record<{
  kind: 'loop';
  name: string;
  reads: List<string>;
  writes: List<string>;
  /** Operations for one element, by name. */
  operations: ImmutableMap<string, number>;
}>({ kind: 'loop', name: '', reads: List(), writes: List(), operations: ImmutableMap() }, 'LoopStep') {}

export type StreamStep = CopyStep | LoopStep;

/** Steps run one after the other. */
export class StreamWorkload extends Record<{
  name: string;
  about: string;
  source: string;
  elements: number;
  tensors: List<StreamTensor>;
  steps: List<StreamStep>;
}>({ name: '', about: '', source: '', elements: 0, tensors: List(), steps: List() }, 'StreamWorkload') {}

/** A workload and where its keys were written, for messages that arise later. */
export interface LoadedStream {
  readonly workload: StreamWorkload;
  readonly place: (path: Path) => Place;
}

type Written = { readonly bytes: number } | { readonly element: number };

function parseTensor(text: string): Written {
  const match = /^(.*\S)\s+per\s+element$/.exec(text.trim());
  return match ? { element: parseSize(match[1] ?? '') } : { bytes: parseSize(text) };
}

const operations = z
  .strictObject(Object.fromEntries(operationNames.map((name) => [name, count.optional().describe(`${name} of each`)])))
  .describe('Operations for each element')
  .meta({ examples: ['{ mac: 4, sqrt: 1 }'] });

const copy = z
  .strictObject({
    copy: z.string().describe('A tensor, of which each device has one in the memory of the host'),
    direction: z.enum(['to device', 'to host']).default('to device').describe('Where it goes'),
  })
  .describe('Each device copies a tensor');

const loop = z
  .strictObject({
    loop: z.string().describe('Name of the loop'),
    reads: z.array(z.string()).min(1).describe('Tensors that are read, element by element'),
    writes: z.array(z.string()).default([]).describe('Tensors that are written'),
    operations: operations.default({}),
  })
  .describe('The cores of the host go over tensors');

export const streamSchema = z.strictObject({
  workload: z
    .string()
    .describe('Name of the workload')
    .meta({ examples: ['copy'] }),
  about: z.string().default('').describe('What it is, in a sentence'),
  source: z.string().default('').describe('Where it comes from'),
  elements: count.optional().describe('Elements of tensors that are given by element'),
  tensors: z
    .record(z.string(), parsed(z.string(), parseTensor, ['2 GiB', '4 B per element']))
    .describe('Bytes by tensor: 2 GiB, or 4 B per element'),
  steps: z
    .array(z.union([copy, loop]))
    .min(1)
    .describe('What happens, one after the other'),
});

type StreamInput = z.output<typeof streamSchema>;

/**
 * A file, or the name of one in workloads/; `shape` is `elements=16 Mi` or `TENSOR=1 GiB`, in place of what the file says.
 * @throws InputError
 */
export function loadStream(file: string, options: { readonly shape?: readonly string[] } = {}): LoadedStream {
  return build(Source.read(fileNamed('workloads', file)), options.shape ?? []);
}

/** The same from a text; `file` is its name in messages. */
export function parseStream(
  text: string,
  file: string,
  options: { readonly shape?: readonly string[] } = {},
): LoadedStream {
  return build(new Source(text, file), options.shape ?? []);
}

function build(source: Source, shape: readonly string[]): LoadedStream {
  const input = check(streamSchema, reshaped(source.value() as Tree, shape), source);
  const mistakes: Diagnostic[] = [];
  const wrong = (path: Path, message: string, hint?: string): void => {
    mistakes.push({ message, place: source.placeOf(path), hint });
  };
  const tensors = List(Object.entries(input.tensors).map(([name, written]) => tensorOf(name, written, input, wrong)));
  const steps = List(input.steps.map((step, i) => stepOf(step, ['steps', i], tensors, wrong)));
  if (mistakes.length > 0) throw new InputError(mistakes);
  const { workload: name, about, source: from, elements = 0 } = input;
  const workload = new StreamWorkload({ name, about, source: from, elements, tensors, steps });
  return { workload, place: (path) => source.placeOf(path) };
}

type Wrong = (path: Path, message: string, hint?: string) => void;
type Tree = { readonly [key: string]: unknown };

function reshaped(tree: Tree, shape: readonly string[]): Tree {
  const given = new Map(Object.entries(tree));
  const tensors = new Map(Object.entries((tree.tensors ?? {}) as Tree));
  for (const text of shape) {
    const [name = '', value = ''] = text.split('=', 2).map((word) => word.trim());
    if (name === 'elements') given.set(name, Number.isNaN(Number(value)) ? value : Number(value));
    else if (tensors.has(name)) tensors.set(name, value);
    else {
      const hint = suggest(name, ['elements', ...tensors.keys()]);
      throw new InputError({ message: `--shape ${text}: there is no "${name}"`, hint });
    }
  }
  if (tensors.size > 0) given.set('tensors', Object.fromEntries(tensors));
  return Object.fromEntries(given);
}

function tensorOf(name: string, written: Written, { elements }: StreamInput, wrong: Wrong): StreamTensor {
  if ('bytes' in written) return new StreamTensor({ name, bytes: written.bytes });
  const { element } = written;
  if (elements === undefined)
    wrong(['tensors', name], 'nothing says how many elements there are', 'such as "elements: 16 Mi"');
  if (64 % element !== 0)
    wrong(['tensors', name], `elements of ${element} B do not fill lines of 64 B`, '1, 2, 4, ... 64 B do');
  return new StreamTensor({ name, bytes: element * (elements ?? 0), element });
}

function stepOf(step: StreamInput['steps'][number], at: Path, tensors: List<StreamTensor>, wrong: Wrong): StreamStep {
  const named = (name: string, path: Path): StreamTensor | undefined => {
    const found = tensors.find((tensor) => tensor.name === name);
    if (!found)
      wrong(
        path,
        `there is no tensor "${name}"`,
        suggest(
          name,
          tensors.map((tensor) => tensor.name),
        ),
      );
    return found;
  };
  if ('copy' in step) {
    named(step.copy, [...at, 'copy']);
    const toHost = step.direction === 'to host';
    return new CopyStep({ name: `copy ${step.copy} ${step.direction}`, tensor: step.copy, toHost });
  }
  for (const key of ['reads', 'writes'] as const) {
    step[key].forEach((name, i) => {
      const tensor = named(name, [...at, key, i]);
      if (tensor && tensor.element === null)
        wrong([...at, key, i], `tensor "${name}" has no elements to go over`, 'give it as "4 B per element"');
    });
  }
  const given = Object.entries(step.operations).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return new LoopStep({
    name: step.loop,
    reads: List(step.reads),
    writes: List(step.writes),
    operations: ImmutableMap(given),
  });
}

/** JSON Schema (draft 2020-12) of such a file. */
export function streamJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(streamSchema, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'A streaming workload of Clockwright', ...schema };
}
