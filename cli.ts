#!/usr/bin/env node
/** The command line. */
import { main } from './cli/main.ts';

// A reader that has seen enough, such as `head`, ends the command; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});

process.exitCode = await main(process.argv.slice(2));
