/** npm run bench [-- WORD...]: prints every section of this folder, or those whose file names contain one of the words. */
import { readdirSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { type Section, table } from './harness.ts';

const words = process.argv.slice(2);
/** It runs compiled, as users run the program. */
const suffix = extname(import.meta.filename);
const names = readdirSync(import.meta.dirname)
  .filter((file) => extname(file) === suffix)
  .map((file) => basename(file, suffix))
  .filter((name) => name !== 'run' && name !== 'harness')
  .sort();
const chosen = names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no section is called ${words.join(' or ')}; there are ${names.join(', ')}`);
  process.exitCode = 2;
}
for (const name of chosen) {
  const { section } = (await import(`./${name}${suffix}`)) as { section: Section };
  console.log(`${section.title}\n${table(section.rows())}\n`);
}
