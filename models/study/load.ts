/** Study scripts as modules, in TypeScript or JavaScript. */
import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../arch/language/diagnostics.ts';
import { failure, Study } from './study.ts';

/** Whatever loads this from its sources loads scripts as well. */
let isRegistered = import.meta.url.endsWith('.ts');

/** The study that a script exports. @throws InputError when it has none, or fails before it comes to it. */
export async function loadStudy(file: string): Promise<Study> {
  const url = pathToFileURL(realpathSync(file)).href;
  if (/\.[cm]?tsx?$/.test(file) && !isRegistered) {
    // For both kinds of module: which of them a script is, the package.json above it says.
    (await import('tsx/cjs/api')).register();
    (await import('tsx/esm/api')).register();
    isRegistered = true;
  }
  let script: { readonly default?: unknown };
  try {
    script = await import(url);
  } catch (error) {
    const { error: message, stack } = failure(error);
    const places = stack?.split('\n').filter((line) => /^\s+at /.test(line) && line.includes(basename(file))) ?? [];
    throw new InputError({ message: [`cannot load ${file}: ${message}`, ...places].join('\n') });
  }
  const study = studyOf(script);
  if (study) return study;
  throw new InputError({ message: `${file} has no study`, hint: 'write "export default study({ ... })"' });
}

/** A script in the older kind of module has its exports one step further in. */
export function studyOf(script: { readonly default?: unknown }): Study | undefined {
  const exported = script.default;
  return [exported, (exported as { readonly default?: unknown } | undefined)?.default].find(Study.is);
}
