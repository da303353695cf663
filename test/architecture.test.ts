import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../arch/language/library.ts';

const rooms = ['arch', 'workloads', 'models', 'reports'] as const;

/** What a room may import, besides itself. */
const allowed: { readonly [room: string]: (target: string, isType: boolean) => boolean } = {
  arch: () => false,
  workloads: (target) => target.startsWith('arch/language/'),
  models: (target) => /^((arch|workloads)\/language|workloads\/(llm|pim))\//.test(target),
  reports: (target, isType) => target.startsWith('arch/language/') || (isType && target.startsWith('models/')),
};

const files = rooms.flatMap((room) =>
  readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('studies'))
    .map((name) => posix.join(room, name.replaceAll('\\', '/'))),
);

describe.each(files)('%s', (file) => {
  const text = readFileSync(join(packageRoot, file), 'utf8');

  it('imports only towards arch/language', () => {
    const room = file.split('/')[0]!;
    for (const [, isType, path] of text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'/gm)) {
      const target = posix.join(posix.dirname(file), path!);
      if (!target.startsWith(`${room}/`))
        expect([target, allowed[room]!(target, isType !== undefined)]).toEqual([target, true]);
    }
  });

  it('is short enough to be read as a whole', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(500);
  });
});
