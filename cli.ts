#!/usr/bin/env node
/** The command line. */
import { shell } from './cli/shell.ts';

await shell(process.argv.slice(2));
