/** Commands run in this process, on files of a scratch folder. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { main } from '../../cli/main.ts';

export interface Outcome {
  /** The exit code. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line as the shell would, and catches what it writes. */
export async function clockwright(...args: string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += text;
      return true;
    }),
  );
  try {
    return { code: await main(args), ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A folder for one test file. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), 'clockwright-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string | Uint8Array): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Text without the folder, which differs from run to run. */
  relative(text: string): string {
    return text.replaceAll(`${this.folder}/`, '');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The text of a file of the repository. */
export function repositoryFile(path: string): string {
  return readFileSync(join(packageRoot, path), 'utf8');
}
