/** Tokens that experts of a layer get, as files have them: a table of `expert,tokens`, experts counted from 0. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnostic, InputError } from '../../arch/language/diagnostics.ts';
import { packageRoot } from '../../arch/language/library.ts';
import { readLines } from './table.ts';

export interface ExpertShape {
  readonly experts: number;
  /** Experts that each token goes to. */
  readonly activeExperts: number;
}

export interface ExpertTrace {
  /** Tokens of each expert; none for those that the file leaves out. */
  readonly tokens: readonly number[];
  /** Tokens of the layer, all experts' over those of one token. */
  readonly batch: number;
}

const suffix = '.experts.csv';

/** Files NAME.experts.csv of the working directory, and behind them those that come with Clockwright, by name. */
export function expertTraceFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const folder of ['.', join(packageRoot, 'workloads/traces')]) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(suffix))) {
      const name = file.slice(0, -suffix.length);
      if (!files.has(name)) files.set(name, join(folder, file));
    }
  }
  return files;
}

const columns = [
  { name: 'expert', least: 0, whole: true },
  { name: 'tokens', least: 0, whole: true },
];

/** @throws InputError with the lines that name no expert of the layer, or one again, and what does not add up */
export function readExpertTrace(file: string, { experts, activeExperts }: ExpertShape): ExpertTrace {
  const tokens = new Array<number>(experts).fill(0);
  const lines = new Map<number, number>();
  const mistakes: Diagnostic[] = [];
  for (const { row, place } of readLines(file, columns)) {
    const { expert = 0, tokens: count = 0 } = row;
    const before = lines.get(expert);
    if (expert >= experts)
      mistakes.push({ message: `there is no expert ${expert}`, place, hint: `they are 0 to ${experts - 1}` });
    else if (before !== undefined) mistakes.push({ message: `expert ${expert} is in line ${before} already`, place });
    else tokens[expert] = count;
    lines.set(expert, place.line);
  }
  if (mistakes.length > 0) throw new InputError(mistakes);
  const all = tokens.reduce((sum, count) => sum + count, 0);
  const batch = all / activeExperts;
  if (all === 0 || !Number.isInteger(batch)) {
    const message = `${file}: experts have ${all} tokens, which are no batch of tokens with ${activeExperts} experts each`;
    throw new InputError({ message });
  }
  const most = tokens.findIndex((count) => count > batch);
  if (most >= 0) {
    const message = `${file}: expert ${most} has ${tokens[most]} tokens, but there are ${batch}`;
    throw new InputError({ message });
  }
  return { tokens, batch };
}
