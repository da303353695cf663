/** The commands. Each loads what it needs when it runs, so that `--help` answers at once. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { version } from '../arch/language/library.ts';

/** Runs a command line, without the program's name. Gives the exit code: 0 done, 1 the run failed, 2 the input is wrong. */
export async function main(args: readonly string[]): Promise<number> {
  const program = commands();
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(withPageWords(args), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { exitCodeOf, messageOf } = await import('./failure.ts');
    process.stderr.write(`${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

const list = (value: string, previous: string[] = []): string[] => [...previous, value];
const set = (): Option => new Option('--set <path=value>', 'change a value of the machine; repeatable').argParser(list);
const shape = (): Option =>
  new Option('--shape <rank=extent>', 'change a rank of the workload; repeatable').argParser(list);

/** Reads a whole number. */
const atLeast =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
    throw new InvalidArgumentError(`It is no whole number of ${least} or more.`);
  };

/** Reads a share of something. */
function share(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It is no share from 0 to 1.');
}

/** `--page capped 4` is an option with a value of two words, quoted or not. */
function withPageWords(args: readonly string[]): string[] {
  const at = args.indexOf('--page') + 1;
  const [kind = '', amount = ''] = args.slice(at);
  const isSplit = at > 0 && ['capped', 'timeout'].includes(kind) && /^\d/.test(amount);
  return isSplit ? args.toSpliced(at, 2, `${kind} ${amount}`) : [...args];
}

/** The program with all its commands. Wrong arguments throw a CommanderError, once they are told. */
export function commands(): Command {
  const program = new Command('clockwright')
    .description('Cycle-accurate simulation of a machine (YAML) running a cascade of einsums (YAML)')
    .version(version, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .showHelpAfterError('"clockwright --help" lists the commands, "clockwright COMMAND --help" their options')
    .exitOverride();

  program
    .command('run')
    .description('run a workload on a machine')
    .argument('<arch>', 'machine: a file, or the name of one in arch/')
    .argument('<workload>', 'workload: a file, or the name of one in workloads/')
    .option('-m, --mapping <file>', 'how the workload is laid on the machine; what it leaves open is chosen')
    .addOption(set())
    .addOption(shape())
    .addOption(new Option('--map <how>', 'look for the best mapping').choices(['search']).conflicts('mapping'))
    .option('--map-out <file>', 'write the mapping that --map search finds; - for standard output')
    .addOption(new Option('--objective <what>', 'what --map search makes small').choices(['latency', 'energy', 'edp']))
    .option('--seed <n>', 'of what --map search draws at random; 1 by default', atLeast(0))
    .option('--candidates <n>', 'ways to lay a section that --map search tries; 3000 by default', atLeast(1))
    .option('--budget <time>', 'ends --map search early, such as 60s; what it finds then depends on the computer')
    .option('--json <file>', 'write the result as JSON; - for standard output')
    .option('--html <file>', 'write the report as one HTML file')
    .option('--trace <file>', 'write a trace for Perfetto')
    .option('--values', 'move real numbers through the machine and check what comes out')
    .option('--every-cycle', 'run what repeats, too, instead of adding it up; the result is the same')
    .addOption(
      new Option('--sample', 'with DRAM, run a part of what repeats and estimate the rest, with an interval').conflicts(
        ['everyCycle', 'values'],
      ),
    )
    .action(async (arch, workload, options) => (await import('./run.ts')).run(arch, workload, options));

  program
    .command('import')
    .description("run another tool's files: SCALE-Sim's configuration and topology, of v2 or v3")
    .addArgument(program.createArgument('<tool>', 'whose files they are').choices(['scalesim']))
    .argument('<config>', 'configuration (.cfg)')
    .argument('<topology>', 'layers (.csv); the first line is a header, which is skipped')
    .option('--gemm', 'rows of the topology are GEMMs (M, N, K), not convolutions')
    .option(
      '--json <file>',
      'write the layers as JSON, {"layers": [...]}, which is no result for report; - for standard output',
    )
    .option('--html <file>', 'write the report as one HTML file')
    .option('--trace <file>', 'write a trace for Perfetto')
    .action(async (_tool, config, topology, options) =>
      (await import('./import.ts')).importScaleSim(config, topology, options),
    );

  program
    .command('replay')
    .description('send a trace of memory requests, or of PIM commands, to DRAM, or requests to an SSD')
    .argument(
      '<standard>',
      'a file, a name such as ddr4, or a preset such as DDR4/DDR4_8Gb_x8/DDR4_2400R; an SSD such as ssd/p5510',
    )
    .argument(
      '[trace]',
      'requests, one a line ("R 1234", "LD 0x1f40", "0x1f40 READ 12"; of an SSD "R 0x1000 4KiB", or with a time "R 0x1000 4KiB 12us"), which may be packed by gzip; or a PIM program ("MACAB 64 over column 32") or trace ("PIM_MAC_AB 0x1f40")',
    )
    .option('--org <name>', 'organisation; the first of the standard by default')
    .option('--speed <name>', 'speed; the first of the standard by default')
    .option('--channels <n>', 'channels, with a controller each; 1, or as many as a PIM program names', atLeast(1))
    .option('--ranks <n>', "ranks of a channel; the organisation's by default", atLeast(1))
    .addOption(
      new Option('--scheduler <name>', 'order of requests').choices(['frfcfs', 'frfcfs-row-hit']).default('frfcfs'),
    )
    .option('--page <policy>', 'open, closed, "capped N" accesses, or "timeout N" ticks, "timeout N ns"', 'open')
    .addOption(new Option('--refresh <kind>', 'refresh').choices(['all-bank', 'per-bank', 'none']))
    .option('--mapping <text>', 'how addresses are laid on channels, banks, rows and columns', 'RoBaRaCoCh')
    .option('--gap <ticks>', 'least ticks between two requests', atLeast(0))
    .option('--outstanding <n>', 'most requests under way at a time', atLeast(1))
    .option('--limit <n>', 'send only the first requests', atLeast(1))
    .addOption(new Option('--random <size>', 'SSD: requests of so many bytes at random places').conflicts('sequential'))
    .option('--sequential <size>', 'SSD: requests of so many bytes, one behind the other')
    .option('--writes <share>', 'SSD: share of the generated requests that write, from 0 to 1; 0 by default', share)
    .option('--depth <n>', 'SSD: most requests under way at a time; 1 by default', atLeast(1))
    .option('--requests <n>', 'SSD: how many; 100,000 generated ones by default', atLeast(1))
    .option('--seed <n>', 'SSD: of what is drawn at random; 1 by default', atLeast(0))
    .option('--devices <n>', 'SSD: so many of them, data striped over them', atLeast(1))
    .option('--fill <share>', 'SSD: share of the pages that are written before; 0 by default', share)
    .option('--overwrites <n>', 'SSD: of these, pages that are overwritten at random before', atLeast(0))
    .addOption(
      new Option(
        '--mode <how>',
        'requests beside PIM commands: between them (concurrent, by default) or after them',
      ).choices(['concurrent', 'blocked']),
    )
    .option('--from <cycle>', 'first cycle of the commands that --html shows one by one; 0 by default', atLeast(0))
    .option('--json <file>', 'write the result as JSON; - for standard output')
    .option('--html <file>', 'write the report of a PIM program as one HTML file')
    .option('--commands <file>', 'write every command as CSV; - for standard output')
    .action(async (standard, trace, options) => (await import('./replay.ts')).replay(standard, trace, options));

  program
    .command('study')
    .description('run a study: points of a grid in parallel, kept as they end, and what they say of claims')
    .argument('<study>', 'a script, or the name of one in workloads/studies/')
    .option('--only <conditions>', 'points of these values: "model=BERT,seq=1024|4096"; repeatable', list)
    .option('--points <file>', 'points from a CSV file in place of the grid: a column for each parameter')
    .option(
      '--jobs <n>',
      'threads; 1 runs in the thread of the program; as many as there are cores by default',
      atLeast(1),
    )
    .option('--resume', 'take the rows that an earlier run has left; it does so anyway')
    .option('--no-resume', 'run all points again')
    .option('--journal <file>', 'where finished rows are kept; .clockwright/STUDY.jsonl by default')
    .option('--json <file>', 'write rows and claims as JSON; - for standard output')
    .option('--csv <file>', 'write the rows as CSV; - for standard output')
    .option('--html <file>', 'write claims, charts and rows as one HTML file')
    .action(async (name, options) => (await import('./study.ts')).study(name, options));

  program
    .command('check')
    .description('check files and report every mistake')
    .argument(
      '<file...>',
      'machines, parts, technologies, DRAM standards, workloads, serving workloads, compositions of experts, mappings',
    )
    .action(async (files) => (await import('./check.ts')).check(files));

  program
    .command('show')
    .description(
      'show a machine (tree, peaks, areas), a workload (ranks, passes, operation counts), a serving workload or composition of experts (memory, operators), a mapping (tiles, loops, buffers, what engines do when) or a DRAM standard',
    )
    .argument('<file>', 'a file, or a name in arch/, arch/parts/dram/, workloads/ or workloads/mappings/')
    .addOption(set())
    .addOption(shape())
    .option('--html <file>', 'write what engines do for a few tiles of a mapping as one HTML file')
    .action(async (file, options) => (await import('./show.ts')).show(file, options));

  program
    .command('report')
    .description('the report of a saved result, or several side by side')
    .argument('<result...>', 'JSON files that run --json wrote; several are compared with the first')
    .option('--html <file>', 'write the report as one HTML file')
    .option('--trace <file>', 'write a trace of a single result for Perfetto')
    .action(async (files, options) => (await import('./report.ts')).report(files, options));

  program
    .command('schema')
    .description('print a JSON Schema for editors')
    .addArgument(
      program
        .createArgument('<kind>', 'kind of file')
        .choices([
          'arch',
          'workload',
          'serving',
          'composition',
          'streaming',
          'mapping',
          'serving-mapping',
          'dataflow-mapping',
          'placement',
          'standard',
        ]),
    )
    .action(async (kind) => (await import('./schema.ts')).schema(kind));

  return program;
}
