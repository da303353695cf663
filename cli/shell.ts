/** A command line as a process: its exit code, and what becomes of a reader that goes away. */
import { main } from './main.ts';

export async function shell(args: readonly string[]): Promise<void> {
  // A reader that has seen enough, such as `head`, ends the command; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`cannot write to standard output: ${error.message}\n`);
    process.exit(1);
  });
  process.exitCode = await main(args);
}
