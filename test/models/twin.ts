/** A program on the machine and on its slow twin (test/reference/loop-oracle.ts), in a form in which they can be equal. */
import type { Arch } from '../../arch/language/arch.ts';
import { Program, type Section } from '../../models/binding/program.ts';
import { activities } from '../../models/compute/account.ts';
import { DeadlockError } from '../../models/kernel/kernel.ts';
import { type EngineRecord, Machine, type RunRecord, type Watch } from '../../models/machine.ts';
import { type Hardware, type History, play, type Standstill } from '../reference/loop-oracle.ts';

/** What both have to say about a run. */
export interface Account {
  readonly sections: readonly { readonly start: number; readonly end: number }[];
  readonly engines: { readonly [name: string]: EngineAccount };
  /** Operation and iteration of every execution, by section's and engine's position, all repeats in turn. */
  readonly executions: { readonly [engine: string]: readonly string[] };
  /** First start and last end in cycles, by section, engine and operation. */
  readonly spans: { readonly [op: string]: readonly [start: number, end: number] };
  /** Empty unless there is a deadlock, after which nothing else is said. */
  readonly standstill: readonly Standstill[];
}

export interface EngineAccount {
  /** Cycles by activity. */
  readonly totals: readonly number[];
  /** Cycles by activity in every bin of the timeline: in every single cycle, when the run is short. */
  readonly timeline: readonly (readonly number[])[];
  readonly waits: { readonly [cause: string]: number };
}

interface Outcome {
  readonly record: RunRecord | null;
  readonly account: Account;
}

const deadlock = (standstill: readonly Standstill[]): Account => ({
  sections: [],
  engines: {},
  executions: {},
  spans: {},
  standstill,
});

/** Runs a program on a machine. */
export function runFast(arch: Arch, program: Program, machine = new Machine(arch)): Outcome {
  const executions: Record<string, string[]> = {};
  const watch: Watch = (section) => (engine) => {
    const list = listOf(executions, section, engine);
    return (op, digits) => list.push(`${op} [${digits}]`);
  };
  try {
    const record = machine.run(program, { watch });
    const sections = record.sections.map(({ start, end }) => ({ start, end }));
    const engines = Object.fromEntries(record.engines.map((e) => [e.name, accountOf(e, record.length)]));
    const spans = Object.fromEntries(
      record.ops
        .filter((op) => op.start >= 0)
        .map((op) => [`${op.section} ${op.engine.name} ${op.name}`, [op.start, op.end] as const]),
    );
    return { record, account: { sections, engines, executions, spans, standstill: [] } };
  } catch (error) {
    if (error instanceof DeadlockError) return { record: null, account: deadlock(error.waits) };
    throw error;
  }
}

function accountOf({ account, waits, clock }: EngineRecord, length: number): EngineAccount {
  const end = clock.cycleAtOrAfter(length);
  return {
    totals: [...account.totals],
    timeline: activities.map((_, kind) => account.bins.series(kind, end)),
    waits: Object.fromEntries(
      [...waits.values()].map((w) => [`${activities[w.activity]} ${w.tensor} ${w.part}`, w.cycles]),
    ),
  };
}

/** Plays the same program on the twin; `record` says how wide the bins of the machine's timelines are. */
export function runSlow(arch: Arch, program: Program, { record }: Outcome): Account {
  const hardware = hardwareOf(arch);
  const sections: { start: number; end: number }[] = [];
  const executions: Record<string, string[]> = {};
  const spans: Record<string, [number, number]> = {};
  const histories = new Map<string, { first: number; activity: readonly string[] }[]>();
  const waits = new Map<string, Record<string, number>>();
  let now = 0;
  for (const { repeat, sections: list } of program.phases) {
    const first = sections.length;
    for (let time = 0; time < repeat; time++) {
      for (const [i, section] of list.toArray().entries()) {
        const history = play(section, hardware, now);
        if (history.standstill.length > 0) return deadlock(history.standstill);
        sections[first + i] ??= { start: now, end: now };
        now = history.end;
        sections[first + i]!.end = now;
        gather(section, history, first + i, { executions, spans, histories, waits });
      }
    }
  }
  const engines = Object.fromEntries(
    (record?.engines ?? []).map(({ name, account, clock }) => {
      const bins = Math.max(1, Math.ceil(clock.cycleAtOrAfter(now) / account.bins.width));
      const timeline = activities.map(() => Array<number>(bins).fill(0));
      const totals = activities.map(() => 0);
      for (const { first, activity } of histories.get(name) ?? []) {
        activity.forEach((what, cycle) => {
          const kind = (activities as readonly string[]).indexOf(what);
          totals[kind]!++;
          timeline[kind]![Math.floor((first + cycle) / account.bins.width)]!++;
        });
      }
      return [name, { totals, timeline, waits: waits.get(name) ?? {} }];
    }),
  );
  return { sections, engines, executions, spans, standstill: [] };
}

/** With whole bytes per second of everything that serves bytes. */
function hardwareOf(arch: Arch): Hardware {
  const { ports, unitsPerSecond } = new Machine(arch).run(new Program());
  const memories = new Map([...ports].map(([name, port]) => [name, Math.round(port.bytesPerSecond)]));
  return { unitsPerSecond, clocks: new Map(arch.clocks), memories };
}

function gather(
  section: Section,
  history: History,
  index: number,
  into: {
    executions: Record<string, string[]>;
    spans: Record<string, [number, number]>;
    histories: Map<string, { first: number; activity: readonly string[] }[]>;
    waits: Map<string, Record<string, number>>;
  },
): void {
  history.engines.forEach((engine, i) => {
    const program = section.engines.get(i)!;
    const name = program.engine;
    const list = listOf(into.executions, section, i);
    for (const { op, digits, start, end } of engine.executions) {
      list.push(`${op} [${digits}]`);
      const key = `${index} ${name} ${program.ops.get(op)!.name}`;
      into.spans[key] = [into.spans[key]?.[0] ?? start, end];
    }
    into.histories.set(name, [...(into.histories.get(name) ?? []), engine]);
    const waits = into.waits.get(name) ?? {};
    into.waits.set(name, waits);
    for (const [cause, cycles] of engine.waits) waits[cause] = (waits[cause] ?? 0) + cycles;
  });
}

function listOf(executions: Record<string, string[]>, section: Section, engine: number): string[] {
  const key = `${section.name} / ${engine} ${section.engines.get(engine)!.engine}`;
  executions[key] ??= [];
  return executions[key];
}
