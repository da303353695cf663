/** Files of compositions of experts to compositions. */
import { dirname, isAbsolute, join } from 'node:path';
import { List } from 'immutable';
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';
import { ExpertChoice, ExpertComposition } from './composition.ts';
import { type CompositionInput, compositionSchema } from './composition-schema.ts';
import { elementBytes } from './load.ts';
import type { LlmModel } from './model.ts';
import { buildModel, modelNamed } from './models.ts';
import { DeviceShare, shareMistake } from './share.ts';
import { readTable } from './table.ts';

/** A composition and where its keys were written, for messages that arise later. */
export interface LoadedComposition {
  readonly workload: ExpertComposition;
  /** Where the value of a key stands, such as `['experts']`. */
  readonly place: (path: Path) => Place;
}

/**
 * A file, or the name of one in workloads/.
 * @throws InputError with the mistakes in the file and in the trace that it names
 */
export function loadComposition(file: string): LoadedComposition {
  return fromSource(Source.read(fileNamed('workloads', file)));
}

/** The same from a text; `file` is its name in messages, and its folder is where its trace is looked for. */
export function parseComposition(text: string, file: string): LoadedComposition {
  return fromSource(new Source(text, file));
}

function fromSource(source: Source): LoadedComposition {
  const input = check(compositionSchema, source.value(), source);
  const mistakes: Diagnostic[] = [];
  const [expert, router] = (['expert', 'router'] as const).map((key) => modelOf(input, key, source, mistakes));
  const share = new DeviceShare({ tensor: input.parallel.tensor, ...elementBytes(input.dtype) });
  for (const model of new Set([expert, router])) {
    const message = model && shareMistake(model, share);
    if (message)
      mistakes.push({ message, place: source.placeOf(['parallel']), hint: 'choose another number of devices' });
  }
  const choice = choiceOf(input, source, mistakes);
  if (mistakes.length > 0 || !expert || !router) throw new InputError(mistakes);
  const { workload: name, about = '', source: from = '', experts, batch, prompt, output, replacement, seed } = input;
  const requests = choice.kind === 'trace' ? choice.experts.size : batch * (input.batches ?? 1);
  const batches = Math.ceil(requests / batch);
  const plan = { experts, batch, batches, prompt, output, choice, replacement, seed };
  const workload = new ExpertComposition({ name, about, source: from, expert, router, share, ...plan });
  return { workload, place: (path) => source.placeOf(path) };
}

function modelOf(
  input: CompositionInput,
  key: 'expert' | 'router',
  source: Source,
  mistakes: Diagnostic[],
): LlmModel | null {
  const model = input[key];
  if (typeof model === 'string') return modelNamed(model, source, [key], mistakes);
  return buildModel(`${input.workload} ${key}`, model, source, [key], mistakes);
}

function choiceOf(
  { routing, experts, batches }: CompositionInput,
  source: Source,
  mistakes: Diagnostic[],
): ExpertChoice {
  if (routing === undefined) return new ExpertChoice();
  if (!('trace' in routing)) return new ExpertChoice(routing);
  if (batches !== undefined) {
    const place = source.placeOfKey(['batches']);
    mistakes.push({
      message: '"batches" stands beside a trace, which says how many requests come',
      place,
      hint: 'remove it',
    });
  }
  const path = ['routing', 'trace'];
  const file = isAbsolute(routing.trace) ? routing.trace : join(dirname(source.file), routing.trace);
  const columns = [{ name: 'expert', least: 0, most: experts - 1, whole: true }];
  try {
    const rows = readTable(file, columns, source.placeOf(path));
    return new ExpertChoice({ kind: 'trace', experts: List(rows.map(({ expert = 0 }) => expert)) });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    mistakes.push(...error.diagnostics);
    return new ExpertChoice();
  }
}
