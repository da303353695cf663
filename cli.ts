#!/usr/bin/env node
/** The command line. Each command loads what it needs when it runs, so that `--help` answers at once. */
import { Command, Option } from 'commander';

const list = (value: string, previous: string[]): string[] => [...previous, value];

const program = new Command('clockwright')
  .description('Cycle-accurate simulation of a machine (YAML) running a cascade of einsums (YAML)')
  .showSuggestionAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const shape = (): Option =>
  new Option('--shape <rank=extent>', 'change a rank of the workload; repeatable').argParser(list).default([]);
const set = (): Option =>
  new Option('--set <path=value>', 'change a value of the machine; repeatable').argParser(list).default([]);

program
  .command('run')
  .description('run a workload on a machine')
  .argument('<arch>', 'machine: a file, or the name of one in arch/')
  .argument('<workload>', 'workload: a file, or the name of one in workloads/')
  .option('-m, --mapping <file>', 'how the workload is laid on the machine; what it leaves open is chosen')
  .addOption(set())
  .addOption(shape())
  .option('--json <file>', 'write the result as JSON; - for standard output')
  .option('--html <file>', 'write the report as one HTML file')
  .option('--trace <file>', 'write a trace for Perfetto')
  .option('--values', 'move real numbers through the machine and check what comes out')
  .action(async (arch, workload, options) => (await import('./cli/run.ts')).run(arch, workload, options));

program
  .command('check')
  .description('check files and report every mistake')
  .argument('<file...>', 'machines, workloads, mappings, technologies')
  .action(async (files) => (await import('./cli/check.ts')).check(files));

program
  .command('show')
  .description('show a machine (tree, peaks, areas) or a workload (ranks, passes, operation counts)')
  .argument('<file>', 'machine or workload: a file, or a name in arch/ or workloads/')
  .addOption(set())
  .addOption(shape())
  .action(async (file, options) => (await import('./cli/show.ts')).show(file, options));

program
  .command('report')
  .description('the report of a saved result')
  .argument('<result>', 'JSON file that run --json wrote')
  .option('--html <file>', 'write the report as one HTML file')
  .option('--trace <file>', 'write a trace for Perfetto')
  .action(async (file, options) => (await import('./cli/report.ts')).report(file, options));

program
  .command('schema')
  .description('print a JSON Schema for editors')
  .addArgument(program.createArgument('<kind>', 'kind of file').choices(['arch', 'workload', 'mapping']))
  .action(async (kind) => (await import('./cli/schema.ts')).schema(kind));

program.action(() => program.help());

try {
  await program.parseAsync();
} catch (error) {
  const { exitCodeOf, messageOf } = await import('./cli/failure.ts');
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
