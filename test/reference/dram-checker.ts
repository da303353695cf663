/**
 * A checker of DRAM commands that shares nothing with the models: each command is held against every row of the device's
 * table and all commands before it, against the state of the banks, and against the command buses.
 */
import { type DramConstraint, type DramDevice, needsRow } from '../../arch/language/dram/device.ts';

export interface IssuedCommand {
  readonly tick: number;
  /** Index in the device's commands. */
  readonly command: number;
  /** Index at each level from the channel down to the command's level; of those that it names in each of some levels, one's. */
  readonly path: readonly number[];
  /** The row that an activation or an access is for. */
  readonly row?: number;
  /** Columns that it multiplies; 1 by default. */
  readonly multiplications?: number;
}

export interface Violation {
  /** Place of the offending command among the commands checked. */
  readonly index: number;
  /** A constraint's text, or what else is broken. */
  readonly rule: string;
}

/** Everything that is wrong with a sequence of commands of one channel. */
export function checkCommands(device: DramDevice, commands: readonly IssuedCommand[]): Violation[] {
  const banks = new BankChecker(device);
  const modes = new ModeChecker(device);
  const horizon = Math.max(...device.constraints.map(({ latency }) => latency));
  const violations = commands.flatMap((issued, index) => {
    const before = commands.slice(0, index);
    const recent = before.filter((earlier) => issued.tick - earlier.tick < horizon);
    const rules = [
      ...brokenConstraints(device, issued, recent),
      ...brokenBuses(device, issued, before),
      ...brokenDataClock(device, issued, before),
      ...modes.next(issued, banks),
      ...banks.next(issued),
    ];
    return rules.map((rule) => ({ index, rule }));
  });
  return [...violations, ...banks.end(commands).map((rule) => ({ index: commands.length - 1, rule }))];
}

// Timing

/** Rows that a command breaks: their `window` or more of one earlier command started less than `latency` ticks ago. */
function brokenConstraints(device: DramDevice, issued: IssuedCommand, before: readonly IssuedCommand[]): string[] {
  return device.constraints
    .filter((row) => row.before.includes(issued.command))
    .filter((row) =>
      row.after.some((command) => {
        const recent = before.filter(
          (past) => past.command === command && issued.tick - past.tick < latencyAfter(row, past),
        );
        const nodes = pathsOf(device, issued).flatMap((path) => constrainingNodes(device, row, path));
        return nodes.some((node) => recent.filter((past) => constrains(device, row, past, node)).length >= row.window);
      }),
    )
    .map((row) => row.text);
}

/** Ticks that a row leaves after an earlier command. */
function latencyAfter({ latency, byMultiplications }: DramConstraint, { multiplications = 1 }: IssuedCommand): number {
  return byMultiplications?.[multiplications - 1] ?? latency;
}

/** The nodes of a row's level where earlier commands hold up one with this path: its own, or for sibling rows the others. */
function constrainingNodes(device: DramDevice, row: DramConstraint, path: readonly number[]): number[][] {
  const own = nodesBelow(device, path.slice(0, row.level + 1), row.level);
  if (!row.sibling) return own;
  return own.flatMap((node) => {
    const parent = node.slice(0, -1);
    return nodesBelow(device, parent, row.level).filter((other) => other[row.level] !== node[row.level]);
  });
}

/** Whether an earlier command was for a node; one that names all nodes below a parent has no siblings. */
function constrains(device: DramDevice, row: DramConstraint, past: IssuedCommand, node: readonly number[]): boolean {
  return (
    (!row.sibling || past.path.length > row.level) &&
    pathsOf(device, past).some((path) => names(displaced(row, path), node))
  );
}

/** The path that an earlier command's counts as. */
function displaced({ at = [] }: DramConstraint, path: readonly number[]): readonly number[] {
  const moved = [...path];
  for (const { level, index, like } of at) moved[level] = like < 0 ? index : path[like];
  return moved;
}

/** Paths of all nodes that a command names. */
function pathsOf(device: DramDevice, { command, path }: IssuedCommand): (readonly number[])[] {
  const { each = [] } = device.commands[command];
  return each.reduce<(readonly number[])[]>(
    (paths, level) =>
      paths.flatMap((one) => Array.from({ length: device.counts[level] }, (_, index) => one.with(level, index))),
    [path],
  );
}

/** Paths of the nodes of a level at or below a path. */
function nodesBelow(device: DramDevice, path: readonly number[], level: number): number[][] {
  if (path.length === level + 1) return [[...path]];
  return Array.from({ length: device.counts[path.length] }, (_, index) => index).flatMap((index) =>
    nodesBelow(device, [...path, index], level),
  );
}

/** Whether a path names a node: it is the node's, or that of a node above it or below it. */
function names(path: readonly number[], node: readonly number[]): boolean {
  return path.every((index, level) => level >= node.length || index === node[level]);
}

// Buses

function brokenBuses(device: DramDevice, issued: IssuedCommand, before: readonly IssuedCommand[]): string[] {
  const { bus, banks, access } = device.commands[issued.command];
  const precharges = banks === 'closes' && access === 'none';
  const last = before.at(-1);
  const taken = before.some(
    ({ tick, command }) => tick === issued.tick && (!device.dualBus || sharesBus(device.commands[command].bus, bus)),
  );
  return [
    ...(last !== undefined && last.tick > issued.tick ? ['commands are in order of time'] : []),
    ...(taken ? ['one command per bus and tick'] : []),
    ...(device.halfCycle && issued.tick % 2 === 0 && !precharges ? ['only precharges start on falling edges'] : []),
  ];
}

function sharesBus(one: string, other: string): boolean {
  return one === other || one === 'both' || other === 'both';
}

// The data clock

/** An access needs a data clock that still runs from an access before it, or that a sync just before it started. */
function brokenDataClock(device: DramDevice, issued: IssuedCommand, before: readonly IssuedCommand[]): string[] {
  const { dataClock, commands } = device;
  const { access } = commands[issued.command];
  if (dataClock === null || access === 'none') return [];
  const runs = before.some(({ tick, command }) => {
    const past = commands[command].access;
    return past !== 'none' && issued.tick < tick + dataClock[past];
  });
  const last = before.at(-1);
  const syncs = last === undefined ? 'none' : commands[last.command].syncs;
  const synced = last !== undefined && names(last.path, issued.path) && (syncs === access || syncs === 'any');
  return runs || synced ? [] : ['an access needs a running data clock'];
}

// Banks

type BankState =
  | { readonly is: 'closed' }
  | { readonly is: 'half open'; readonly row: number | undefined; readonly since: number }
  | { readonly is: 'open'; readonly row: number | undefined };

/** A bank's row buffer. */
function inBuffer(bank: string, buffer = 0): string {
  return `${bank} in ${buffer}`;
}

class BankChecker {
  private readonly device: DramDevice;
  private readonly twoSteps: boolean;
  private readonly states = new Map<string, BankState>();
  /** Banks whose rows were opened together, by each of them. */
  private readonly bound = new Map<string, readonly string[]>();

  constructor(device: DramDevice) {
    this.device = device;
    this.twoSteps = device.commands.some(({ banks }) => banks === 'activates');
  }

  /** What a command breaks at the banks that it names; then it changes them. */
  next(issued: IssuedCommand): string[] {
    const command = this.device.commands[issued.command];
    const bankLevel = this.device.levels.length - 1;
    const banks = pathsOf(this.device, issued).flatMap((path) => nodesBelow(this.device, path, bankLevel).map(String));
    const broken = new Set<string>();
    const tears = (bank: string): boolean => this.bound.get(bank)?.some((other) => !banks.includes(other)) ?? false;
    if (command.banks === 'closes' && banks.some(tears)) broken.add('rows opened together are closed together');
    for (const path of banks) {
      for (const rule of this.brokenElsewhere(issued, path)) broken.add(rule);
      if (command.banks === 'closes') this.bound.delete(path);
      if (command.together) this.bound.set(path, banks);
      const bank = inBuffer(path, command.rowBuffer);
      const state = this.states.get(bank) ?? { is: 'closed' };
      for (const rule of this.broken(issued, state)) broken.add(rule);
      if (command.banks === 'activates')
        this.states.set(bank, { is: 'half open', row: issued.row, since: issued.tick });
      if (command.banks === 'opens') this.states.set(bank, { is: 'open', row: issued.row });
      if (command.banks === 'closes') this.states.set(bank, { is: 'closed' });
    }
    return [...broken];
  }

  /** The open row of a bank. */
  rowOf(path: readonly number[]): number | undefined {
    const state = this.states.get(inBuffer(String(path))) ?? { is: 'closed' };
    return state.is === 'closed' ? undefined : state.row;
  }

  /** What is left undone when the commands end. */
  end(commands: readonly IssuedCommand[]): string[] {
    const last = commands.at(-1)?.tick ?? 0;
    const late = [...this.states.values()].some(
      (state) => state.is === 'half open' && last - state.since > this.device.activationDeadline,
    );
    return late ? ['a second activation follows the first'] : [];
  }

  /** What a command breaks in the other row buffers of a bank: a row is in one at a time, and all are refreshed together. */
  private brokenElsewhere(issued: IssuedCommand, bank: string): string[] {
    const { banks, refreshes, rowBuffer = 0, prepares } = this.device.commands[issued.command];
    const others = ['', ...(this.device.rowBuffers ?? [])].flatMap((_, buffer) =>
      buffer === rowBuffer ? [] : [this.states.get(inBuffer(bank, buffer)) ?? { is: 'closed' as const }],
    );
    const isOpen = others.some((state) => state.is === 'open' && state.row === issued.row);
    return [
      ...(refreshes && others.some((state) => state.is !== 'closed') ? ['only closed banks are refreshed'] : []),
      ...((banks === 'opens' || prepares) && isOpen ? ['a row is open in one row buffer only'] : []),
    ];
  }

  private broken(issued: IssuedCommand, state: BankState): string[] {
    const { banks, refreshes } = this.device.commands[issued.command];
    const rules: string[] = [];
    const first = banks === 'activates' || (banks === 'opens' && !this.twoSteps);
    if (first && state.is !== 'closed') rules.push('only closed banks are opened');
    if (banks === 'opens' && this.twoSteps) rules.push(...this.brokenSecondStep(issued, state));
    if (banks === 'closes' && state.is === 'half open') rules.push('a second activation follows the first');
    if (this.device.commands[issued.command].prepares && state.is === 'open' && state.row !== issued.row)
      rules.push('other rows are closed before work on one');
    if (needsRow(this.device.commands[issued.command]) && (state.is !== 'open' || state.row !== issued.row))
      rules.push('accesses are to the open row');
    if (refreshes && state.is !== 'closed') rules.push('only closed banks are refreshed');
    return rules;
  }

  private brokenSecondStep(issued: IssuedCommand, state: BankState): string[] {
    if (state.is !== 'half open' || state.row !== issued.row) return ['a second activation follows the first'];
    const late = issued.tick - state.since > this.device.activationDeadline;
    return late ? ['a second activation comes before its deadline'] : [];
  }
}

// Modes

class ModeChecker {
  private readonly device: DramDevice;
  private mode = 0;
  /** Commands since the mode was entered. */
  private since: { readonly command: number; readonly bank: number; readonly row: number | undefined }[] = [];

  constructor(device: DramDevice) {
    this.device = device;
  }

  /** What a command breaks; then it may lead to another mode. */
  next(issued: IssuedCommand, states: BankChecker): string[] {
    const { modes, commands } = this.device;
    if (!modes) return [];
    const { command } = issued;
    const banks = pathsOf(this.device, issued).flatMap((path) =>
      nodesBelow(this.device, path, this.device.levels.length - 1),
    );
    const goes = modes.goes[this.mode][command];
    const isWrong = typeof goes === 'boolean' ? !goes : !goes.includes(this.indexOf(banks[0]));
    const rules = isWrong ? [`${commands[command].name} does not go in ${modes.names[this.mode]}`] : [];
    for (const bank of banks) {
      const row = commands[command].banks === 'closes' ? states.rowOf(bank) : issued.row;
      this.since.push({ command, bank: this.indexOf(bank), row });
    }
    const change = modes.changes.find(({ from, commands: leading, row: at, banks: wanted }) => {
      const past = this.since.filter((one) => leading.includes(one.command) && (at < 0 || one.row === at));
      return from === this.mode && past.length > 0 && wanted.every((bank) => past.some((one) => one.bank === bank));
    });
    if (change) {
      this.mode = change.to;
      this.since = [];
    }
    return rules;
  }

  /** Of a bank, counted through the channel. */
  private indexOf(path: readonly number[]): number {
    return path.reduce((all, index, level) => all * this.device.counts[level] + index, 0);
  }
}
