/** Which program a row came from. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../../arch/language/library.ts';
import { sha256 } from './canonical.ts';

const self = fileURLToPath(import.meta.url);
/** Rooms whose code decides what a run gives. */
const rooms = ['arch', 'workloads', 'models'];
let known: string | null = null;

/** The version and a hash of the simulator's code: a row of code that has since been changed is no row of this program. */
export function programVersion(): string {
  known ??= `${version}+${codeHash(dirname(dirname(dirname(self))), extname(self))}`;
  return known;
}

function codeHash(root: string, suffix: string): string {
  const files = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(suffix) && !name.startsWith('studies'))
      .map((name) => join(root, room, name))
      .sort(),
  );
  return sha256(files.map((file) => readFileSync(file, 'utf8')).join('\0')).slice(0, 16);
}
