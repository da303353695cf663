import { InputError } from '../arch/language/diagnostics.ts';
import type { DramDevice } from '../arch/language/dram/device.ts';
import { pimActivity, pimDramActivity } from '../models/measure-pim.ts';
import { runPim } from '../models/memory/pim/run.ts';
import { dramEnergy } from '../models/physical/dram.ts';
import { CommandTrace } from '../reports/command-trace.ts';
import { CommandWindow } from '../reports/command-window.ts';
import { type PimReport, pimJson, pimSummary } from '../reports/pim.ts';
import type { PimPrograms } from '../workloads/import/pim/program-text.ts';
import { pimFormatOf } from '../workloads/import/pim/trace.ts';
import type { PimProgram, PimStep } from '../workloads/language/pim-program.ts';
import { together } from './failure.ts';
import { write, writePieces } from './files.ts';
import { checkFiles, keepInputs } from './outputs.ts';
import { deviceNamed, type ReplayOptions, refreshOf } from './replay-options.ts';

/** Sends the commands of a PIM program or trace to a memory that computes. @throws InputError with all that is wrong */
export async function replayPim(dialect: string, trace: string, options: ReplayOptions): Promise<void> {
  const { json, html, commands, mode = 'concurrent', from = 0 } = options;
  const device = deviceNamed(dialect, options);
  const [{ program, accesses, isInOrder }, refresh] = together(
    () => read(trace, device),
    () => refreshOf(device, options.refresh),
    () => checkFiles({ json, html, commands }),
    () => keepInputs([dialect, trace], { json, html, commands }),
    () => onlyRequests(options),
  );
  const channels = options.channels ?? Math.max(channelsOf(program), channelsOf(accesses));
  const log = commands === undefined ? null : new CommandTrace(device);
  const window = html === undefined ? null : new CommandWindow(device, from);
  const result = runPim(device, program, {
    channels,
    mode,
    scheduler: isInOrder ? 'in-order' : 'oldest',
    refresh,
    accesses,
    watched: true,
    ...((log ?? window) && {
      log: (channel) => {
        const sent = log?.log(channel);
        return (tick, command, address) => {
          sent?.(tick, command, address.bank, address.row, address.column);
          if (channel === 0) window?.add(tick, command, address);
        };
      },
    }),
  });
  const reads = device.commands.reduce(
    (all, { access, name }) => all + (access === 'read' ? result.commands[name]! : 0),
    0,
  );
  const report: PimReport = {
    trace,
    refresh,
    device,
    activity: pimActivity(device, mode, result),
    energy: dramEnergy(device, pimDramActivity(device, result)),
    readLatency: reads > 0 ? result.channels.reduce((all, { latencySum }) => all + latencySum, 0) / reads : null,
  };
  await writeReport(report, options, log, window);
}

function read(trace: string, device: DramDevice): PimPrograms & { readonly isInOrder: boolean } {
  const format = pimFormatOf(trace, device);
  if (format === null) throw new InputError({ message: `${trace} has no PIM commands` });
  return { ...format.read(trace, device), isInOrder: format.isInOrder };
}

/** @throws InputError when options are there that only traces of requests have */
function onlyRequests(options: ReplayOptions): void {
  const given = (['gap', 'outstanding', 'limit'] as const).filter((option) => options[option] !== undefined);
  if (given.length === 0) return;
  throw new InputError(
    given.map((option) => ({ message: `--${option} goes with requests, and this is a PIM program` })),
  );
}

/** One more than the highest channel that a program names. */
function channelsOf(program: PimProgram): number {
  return program.reduce((most, step) => Math.max(most, channelsIn(step)), 1);
}

function channelsIn(step: PimStep): number {
  if (step.kind === 'repeat') return channelsOf(step.steps);
  if (step.kind === 'sync') return 1;
  if (step.kind === 'instruction') return 1 + step.channels.reduce((most, channel) => Math.max(most, channel), 0);
  if (step.kind === 'barrier') return (step.first ?? 0) + step.channels;
  const counts = [...step.order, ...(step.beside ?? [])].flatMap(([field, count]) =>
    field === 'channel' ? [count - 1] : [],
  );
  return 1 + (step.at?.channel ?? 0) + counts.reduce((all, count) => all + count, 0);
}

/** @throws InputError with every file that could not be written; the others are. */
async function writeReport(
  report: PimReport,
  { json, html, commands }: ReplayOptions,
  log: CommandTrace | null,
  window: CommandWindow | null,
): Promise<void> {
  const page = html === undefined ? '' : (await import('../reports/pim-html.ts')).pimHtml(report, window);
  try {
    together(
      () => json !== undefined && write(json, pimJson(report)),
      () => html !== undefined && write(html, page),
      () => commands !== undefined && log !== null && writePieces(commands, log.csv()),
    );
  } finally {
    if (![json, html, commands].includes('-')) {
      const color = process.stdout.isTTY === true && process.stdout.hasColors();
      process.stdout.write(pimSummary(report, { color, ...(html !== undefined && { report: html }) }));
    }
  }
}
