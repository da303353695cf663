/** Studies in scripts, which run by themselves when they are what node was started with. */
import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type { SimulateOptions } from '../models/simulate.ts';
import type { Grid, Metrics, RunStudy, Runs, ValueStudy } from '../models/study/definition.ts';
import { studyOf } from '../models/study/load.ts';
import { Study } from '../models/study/study.ts';

/**
 * A study: make it the default export of a script. `clockwright study FILE` runs it, and so does the script itself when
 * it is run, with the same options.
 * @throws InputError on a name or parameters that cannot be
 */
export function study<const G extends Grid, S extends SimulateOptions | Runs, M extends Metrics>(
  definition: RunStudy<G, S, M>,
): Study;
export function study<const G extends Grid, I, R, M extends Metrics>(definition: ValueStudy<G, I, R, M>): Study;
export function study(definition: ConstructorParameters<typeof Study>[0]): Study {
  const made = new Study(definition);
  const script = mainScript();
  if (script !== null && callerOf(study).includes(script)) {
    // Not before the script has come to its end.
    setImmediate(() => void runScript(script, made));
  }
  return made;
}

/** The file that node was started with; null in other threads, and where there is none. */
function mainScript(): string | null {
  const script = process.argv[1];
  if (!isMainThread || script === undefined) return null;
  try {
    return realpathSync(script);
  } catch {
    return null;
  }
}

/** Where a function was called, as a line of a stack. */
function callerOf(called: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, called);
  return decodeURI(holder.stack?.split('\n')[1] ?? '');
}

async function runScript(script: string, made: Study): Promise<void> {
  if (studyOf(await import(pathToFileURL(script).href)) !== made) return;
  const { shell } = await import('./shell.ts');
  await shell(['study', script, ...process.argv.slice(2)]);
}
