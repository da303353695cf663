/** Commands that the documents show exist, with the options and the files that they name. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { findAny } from '../../cli/files.ts';
import { commands } from '../../cli/main.ts';
import { repositoryFile } from './command.ts';

const documents = ['README.md', ...readdirSync(packageRoot).map((folder) => `${folder}/README.md`)].filter((file) =>
  existsSync(join(packageRoot, file)),
);
const shown = documents.flatMap((file) =>
  [...repositoryFile(file).matchAll(/^(?:npx )?clockwright (.*?)\s*(?:#.*)?$|`clockwright ([^`]+)`/gm)].map(
    ([, line, inline]) => [file, (line ?? inline)!] as const,
  ),
);

it.each(shown)('%s: clockwright %s', (_, line) => {
  const [name, ...words] = line.split(/\s+/);
  const command = commands().commands.find((c) => c.name() === name);
  expect(command, `there is no command ${name}`).toBeDefined();
  const known = command!.options.flatMap(({ short, long }) => [short, long]);
  for (const option of words.filter((word) => word.startsWith('-'))) expect(known).toContain(option);
  const { operands } = command!.parseOptions(words);
  if (name !== 'run') return;
  // Names without a dot are of files that come with Clockwright.
  for (const file of operands.filter((word) => /^[a-z][\w-]*$/.test(word))) expect(findAny(file).file).toContain(file);
});
