/** Files of DRAM standards to values. */
import { List, OrderedMap } from 'immutable';
import type { z } from 'zod';
import { type Diagnostic, InputError, type Place, suggest } from '../diagnostics.ts';
import { Layers, type Tree } from '../layers.ts';
import { diagnose, type Path, Source, valueAt } from '../source.ts';
import { checkTimings } from './check.ts';
import { checkEnergies } from './energies.ts';
import { expandExtends, type Generation, type RowText, runsTogether } from './extend.ts';
import { ModeChange, ModeRow, parseModes } from './modes.ts';
import { Buffer, ends, type PimEffect, Units } from './pim.ts';
import { refreshCommand } from './resolve.ts';
import {
  type Placed,
  type PlacedCommand,
  type PlacedConstraint,
  type PlacedEstimate,
  parseCommands,
  parseConstraints,
  parseEstimates,
} from './rows.ts';
import { standardSchema, type WrittenStandard, type WrittenTiming } from './schema.ts';
import {
  Background,
  type CommandRow,
  Currents,
  currentsKey,
  DataClock,
  DramStandard,
  Organisation,
  RefreshRow,
  Speed,
  type Timing,
} from './standard.ts';

/**
 * The standard that a file describes.
 * @throws InputError with every mistake in it and in the files it extends.
 */
export function loadStandard(file: string): DramStandard {
  const source = Source.read(file);
  const layers = new Layers(source.value() as Tree, source);
  const { standard, mistakes } = readStandard(layers, [], standardSchema);
  if (standard) return standard;
  throw new InputError(mistakes);
}

export interface Reading<T> {
  /** What the schema makes of the keys; undefined when it finds mistakes. */
  readonly keys: T | undefined;
  /** Undefined when there are mistakes. */
  readonly standard: DramStandard | undefined;
  readonly mistakes: readonly Diagnostic[];
}

/** The standard at a path, of a schema that has the standard's keys and may have others. */
export function readStandard<T extends WrittenStandard>(layers: Layers, at: Path, schema: z.ZodType<T>): Reading<T> {
  const mistakes: Diagnostic[] = [];
  const generations = expandExtends(layers, at, mistakes);
  // What an unknown base would have given is not missing.
  if (mistakes.length > 0) return { keys: undefined, standard: undefined, mistakes };
  const value = valueAt(layers.tree, at);
  const { data: keys, error } = schema.safeParse(value);
  if (error) mistakes.push(...diagnose(error.issues, value, layers, at, schema));
  if (!keys) return { keys, standard: undefined, mistakes };
  const standard = new Reader(keys, layers, at, mistakes).standard(generations);
  return { keys, standard: mistakes.length === 0 ? standard : undefined, mistakes };
}

class Reader {
  readonly #written: WrittenStandard;
  readonly #layers: Layers;
  readonly #at: Path;
  readonly #mistakes: Diagnostic[];
  /** From the channel to the bank. */
  readonly #levels: readonly string[];

  constructor(written: WrittenStandard, layers: Layers, at: Path, mistakes: Diagnostic[]) {
    this.#written = written;
    this.#layers = layers;
    this.#at = at;
    this.#mistakes = mistakes;
    this.#levels = written.levels.slice(0, -2);
  }

  standard(generations: readonly Generation[]): DramStandard | undefined {
    const written = this.#written;
    if (!this.#checkLevels()) return undefined;
    const placed = this.#commands(generations);
    const commands = placed.map(({ row }) => row);
    const constraints = this.#constraints(generations, commands);
    const organisations = this.#organisations();
    const estimates = this.#estimates(generations, commands);
    const standard = new DramStandard({
      name: written.standard,
      about: written.about,
      source: written.source,
      levels: List(this.#levels),
      prefetch: written.prefetch,
      width: written.width,
      payload: written.payload ?? null,
      buses: written.buses,
      ticks: written.ticks,
      commands: List(commands),
      constraints: List(constraints.map(({ row }) => row)),
      readLatency: written['read latency'],
      writeLatency: written['write latency'],
      resultLatency: written['result latency'] ?? null,
      refresh: this.#refresh(commands),
      activationDeadline: written['activation deadline'] ?? null,
      dataClock: written['data clock'] ? new DataClock(written['data clock']) : null,
      timings: timingsOf(written.timings),
      organisations,
      speeds: this.#speeds(),
      currents: this.#currents(),
      energies: OrderedMap(Object.entries(written.energies)),
      background: written.background ? new Background(written.background) : null,
      units: written.units ? new Units({ ...written.units, lanes: written.units.lanes ?? null }) : null,
      buffers: this.#buffers(),
      ...this.#modes(commands, organisations),
      rowBuffers: List(written['row buffers']),
      estimates: OrderedMap(estimates.map(({ command, text }) => [command, text])),
    });
    this.#checkDeadline(commands);
    if (this.#mistakes.length === 0) this.#checkDataClock(commands);
    // Expressions make sense only among rows that do.
    const expressions = { constraints, estimates, commands: placed };
    if (this.#mistakes.length === 0) {
      checkTimings(standard, expressions, this.#layers, this.#at, this.#mistakes);
      checkEnergies(standard, this.#layers, this.#at, this.#mistakes);
    }
    return standard;
  }

  #checkLevels(): boolean {
    const { levels } = this.#written;
    const wrong =
      levels[0] !== 'channel'
        ? 'levels begin with the channel'
        : levels.slice(-3).join() !== 'bank,row,column'
          ? 'levels end with bank, row, column'
          : new Set(levels).size < levels.length
            ? 'a level is named twice'
            : undefined;
    if (wrong === undefined) return true;
    const hint = 'such as [channel, rank, bankGroup, bank, row, column]';
    this.#mistake(['levels'], wrong, hint);
    return false;
  }

  /** Those of all generations; one that says so takes the place of that of its name in the extended standard. */
  #commands(generations: readonly Generation[]): PlacedCommand[] {
    const placed: PlacedCommand[] = [];
    for (const { commands: table } of generations) {
      const taken = [...placed];
      if (!table) continue;
      for (const command of this.#rows('commands', table, (mistakes) => parseCommands(table, this.#levels, mistakes))) {
        const other = command.isInstead ? placed.findIndex(({ row }) => row.name === command.row.name) : -1;
        this.#checkCommand(command, placed, taken);
        placed.splice(other < 0 ? placed.length : other, other < 0 ? 0 : 1, command);
      }
    }
    const rows = placed.map(({ row }) => row);
    this.#checkEffects(rows);
    for (const command of placed) this.#checkNumbers(command);
    return placed;
  }

  /** That there are units, and every buffer that a command names. */
  #checkNumbers(command: Placed<CommandRow>): void {
    const { pim, second, name, rowBuffer } = command.row;
    for (const effect of [pim, second]) if (effect) this.#checkEffect(command, effect);
    const rowBuffers = this.#written['row buffers'];
    if (rowBuffer === '' || rowBuffers.includes(rowBuffer)) return;
    const message = `${name} names a row buffer "${rowBuffer}", which is not there`;
    const hint = rowBuffers.length > 0 ? suggest(rowBuffer, rowBuffers) : `such as "row buffers: [${rowBuffer}]"`;
    this.#mistakes.push({ message, place: placeOf(command), hint });
  }

  #checkEffect(command: Placed<CommandRow>, { kind, from, to }: PimEffect): void {
    const { name } = command.row;
    const { units, buffers } = this.#written;
    const known = new Set([...Object.keys(buffers), ...(kind === 'moves' ? ends : [])]);
    const named = { applies: [to], computes: [], executes: [from], moves: [from, to], multiplies: [from, to] }[kind];
    for (const buffer of named.filter((buffer) => !known.has(buffer))) {
      const message = `${name} names a buffer "${buffer}", which is not there`;
      this.#mistakes.push({ message, place: placeOf(command), hint: suggest(buffer, known) });
    }
    if (units === undefined && (kind === 'multiplies' || kind === 'executes')) {
      const hint = 'such as "units: { type: fp16, sums: fp32, adds: tree }"';
      this.#mistakes.push({ message: `${name} ${kind}, but there are no units`, place: placeOf(command), hint });
    }
  }

  /** `taken`: what the file takes over. */
  #checkCommand(command: PlacedCommand, earlier: readonly PlacedCommand[], taken: readonly PlacedCommand[]): void {
    const { name, cycles } = command.row;
    const isTaken = taken.some(({ row }) => row.name === name);
    if (command.isInstead && !isTaken) {
      const message = `there is no command "${name}" for this one to be instead of`;
      this.#mistakes.push({
        message,
        place: placeOf(command),
        hint: suggest(
          name,
          taken.map(({ row }) => row.name),
        ),
      });
    } else if (!command.isInstead && earlier.some(({ row }) => row.name === name)) {
      const hint = isTaken ? 'remove it, or write "instead" behind it' : 'remove one of them';
      this.#mistakes.push({ message: `"${name}" is there twice`, place: placeOf(command), hint });
    }
    if (!Number.isInteger(cycles * this.#written.ticks)) {
      const hint = this.#written.ticks === 1 ? 'half cycles need "ticks: 2"' : 'a cycle has two ticks';
      this.#mistakes.push({ message: `${cycles} CK are no whole ticks`, place: placeOf(command), hint });
    }
  }

  /** What every memory does. */
  #checkEffects(rows: readonly CommandRow[]): void {
    // Rows with mistakes may be the ones that are missed.
    if (this.#mistakes.length > 0) return;
    const needed: [string, (row: CommandRow) => boolean][] = [
      ['opens bank', ({ banks, level, each }) => banks === 'opens' && level === 'bank' && each.isEmpty()],
      [
        'closes bank',
        ({ banks, level, each, access }) =>
          banks === 'closes' && level === 'bank' && each.isEmpty() && access === 'none',
      ],
      ['reads', ({ access }) => access === 'read'],
      ['writes', ({ access }) => access === 'write'],
    ];
    for (const [effect, does] of needed) {
      if (rows.some(does)) continue;
      this.#mistake(['commands'], `no command ${effect}`, `add one that "${effect}"`);
    }
  }

  #constraints(generations: readonly Generation[], commands: readonly CommandRow[]): PlacedConstraint[] {
    const names = commands.map(({ name }) => name);
    const parse = (key: string, table: RowText): PlacedConstraint[] =>
      this.#rows(key, table, (mistakes) => parseConstraints(table, this.#levels, names, mistakes));
    let rows: PlacedConstraint[] = [];
    for (const { constraints, without } of generations) {
      if (without) rows = this.#remaining(rows, parse('without', without));
      if (constraints) rows = [...rows, ...parse('constraints', constraints)];
    }
    return rows;
  }

  /** The last one of each command. */
  #estimates(generations: readonly Generation[], commands: readonly CommandRow[]): PlacedEstimate[] {
    const names = commands.map(({ name }) => name);
    const rows = generations.flatMap(({ estimates: table }) =>
      table ? this.#rows('estimates', table, (mistakes) => parseEstimates(table, names, mistakes)) : [],
    );
    return rows.filter(({ command }, at) => !rows.slice(at + 1).some((later) => later.command === command));
  }

  /** The rows of a table, or one mistake instead of many where its lines are lost. */
  #rows<Row>(key: string, table: RowText, parse: (mistakes: Diagnostic[]) => Row[]): Row[] {
    const mistakes: Diagnostic[] = [];
    const rows = parse(mistakes);
    if (mistakes.length > 0 && runsTogether(table)) {
      const message = `the rows of "${key}" run together`;
      this.#mistakes.push({ message, place: table.locate(0, 1), hint: `write "${key}: |" to keep them apart` });
      return [];
    }
    this.#mistakes.push(...mistakes);
    return rows;
  }

  /** The rows but for those that `without` repeats. */
  #remaining(rows: readonly PlacedConstraint[], without: readonly PlacedConstraint[]): PlacedConstraint[] {
    const texts = new Set(rows.map(({ row }) => row.text));
    for (const unknown of without.filter(({ row }) => !texts.has(row.text))) {
      const message = 'no row of the extended standard reads like this';
      this.#mistakes.push({ message, place: placeOf(unknown), hint: suggest(unknown.row.text, texts) });
    }
    const gone = new Set(without.map(({ row }) => row.text));
    return rows.filter(({ row }) => !gone.has(row.text));
  }

  #refresh(commands: readonly CommandRow[]): RefreshRow {
    const { 'all-bank': interval, staggered = false, 'per-bank': perBank } = this.#written.refresh;
    const allBank = interval ?? null;
    const path = ['refresh'];
    if (allBank !== null && this.#mistakes.length === 0) this.#checkAllBank(commands);
    if (perBank === undefined) return new RefreshRow({ allBank, staggered });
    if (refreshCommand(commands, 'bank') < 0 && this.#mistakes.length === 0) {
      this.#mistake([...path, 'per-bank'], 'no command refreshes one bank', 'such as "REFpb row refreshes bank"');
    }
    if (typeof perBank === 'string') return new RefreshRow({ allBank, staggered, perBank });
    const { every, lockstep, gap } = perBank;
    if (!this.#levels.slice(1, -1).includes(lockstep)) {
      const hint = suggest(lockstep, this.#levels.slice(1, -1));
      this.#mistake([...path, 'per-bank', 'lockstep'], `there is no level "${lockstep}" above the bank`, hint);
    }
    return new RefreshRow({ allBank, staggered, perBank: every, lockstep, gap });
  }

  /** Banks are closed together before they are refreshed together. */
  #checkAllBank(commands: readonly CommandRow[]): void {
    const path = ['refresh', 'all-bank'];
    const level = commands[refreshCommand(commands, 'all')]?.level;
    if (level === undefined) {
      this.#mistake(path, 'no command refreshes all banks', 'such as "REFab row refreshes rank"');
    } else if (
      // A controller of a memory that computes closes banks one by one where it has to.
      this.#written.units === undefined &&
      !commands.some((row) => row.banks === 'closes' && row.access === 'none' && row.level === level)
    ) {
      this.#mistake(path, `no command closes all banks of a ${level}`, `such as "PREab row closes ${level}"`);
    }
  }

  /** The controller that stops a data clock is the one that opens rows in two steps. */
  #checkDataClock(commands: readonly CommandRow[]): void {
    const clock = this.#written['data clock'];
    const deadline = this.#written['activation deadline'];
    if (clock === undefined && deadline !== undefined) {
      this.#mistake(['activation deadline'], 'rows opened in two steps go with a "data clock", which is not given');
    }
    if (clock === undefined) return;
    if (deadline === undefined) {
      this.#mistake(['data clock'], 'a data clock that stops goes with an "activation deadline", which is not given');
    }
    for (const [access, verb] of [
      ['read', 'reads'],
      ['write', 'writes'],
    ] as const) {
      if (commands.some(({ syncs }) => syncs === access || syncs === 'any')) continue;
      this.#mistake(['data clock'], `no command syncs ${verb}`, `add one that "syncs ${verb}"`);
    }
  }

  #checkDeadline(commands: readonly CommandRow[]): void {
    const activates = commands.find(({ banks }) => banks === 'activates');
    const deadline = this.#written['activation deadline'];
    if (activates && deadline === undefined) {
      const message = `${activates.name} only activates, but no "activation deadline" is given`;
      this.#mistake(['commands'], message, 'such as "activation deadline: nAAD"');
    }
    if (!activates && deadline !== undefined) {
      this.#mistake(['activation deadline'], 'no command activates a bank before another one opens it');
    }
  }

  #organisations(): DramStandard['organisations'] {
    const levels = this.#levels.slice(1);
    const written = Object.entries(this.#written.organisations);
    if (written.length === 0) this.#mistake(['organisations'], 'there is no organisation');
    return OrderedMap(written).map(({ density, dq, width = null, rows, columns, ...counts }, name) => {
      const path = ['organisations', name];
      const known = levels.map((level) => `${level}s`);
      for (const key of Object.keys(counts).filter((key) => !known.includes(key))) {
        const place = this.#layers.placeOfKey([...this.#at, ...path, key]);
        this.#mistakes.push({ message: `unknown key "${key}" in ${name}`, place, hint: suggest(key, known) });
      }
      for (const key of known.filter((key) => key !== 'ranks' && counts[key] === undefined)) {
        this.#mistake(path, `${name} does not say how many ${key} there are`, `add "${key}: 4"`);
      }
      const { prefetch, width: usual } = this.#written;
      if (columns % prefetch !== 0) {
        this.#mistake(
          [...path, 'columns'],
          `${columns} columns are no whole number of accesses of ${prefetch} columns`,
        );
      }
      if ((width ?? usual) % dq !== 0) {
        this.#mistake([...path, 'dq'], `chips of ${dq} data pins do not fill a bus of ${width ?? usual} bits`);
      }
      const nodes = OrderedMap(levels.map((level) => [level, counts[`${level}s`] ?? 1] as const));
      return new Organisation({ name, density, dq, width, counts: nodes, rows, columns });
    });
  }

  #speeds(): DramStandard['speeds'] {
    const written = Object.entries(this.#written.speeds);
    if (written.length === 0) this.#mistake(['speeds'], 'there is no speed');
    return OrderedMap(written).map(
      ({ rate, tCK, ...timings }, name) => new Speed({ name, rate, clockPs: tCK, timings: timingsOf(timings) }),
    );
  }

  #buffers(): DramStandard['buffers'] {
    const { buffers } = this.#written;
    const known = new Set(['unit', ...this.#levels]);
    for (const [name, { of }] of Object.entries(buffers)) {
      const hint = suggest(of, known);
      if (!known.has(of)) this.#mistake(['buffers', name, 'of'], `there is no level "${of}"`, hint);
    }
    return OrderedMap(Object.entries(buffers)).map(
      ({ of, entries, column = null }) => new Buffer({ of, capacity: entries, column }),
    );
  }

  #modes(
    commands: readonly CommandRow[],
    organisations: DramStandard['organisations'],
  ): Pick<DramStandard, 'modes' | 'modeChanges'> {
    const table: RowText = {
      text: this.#written.modes,
      locate: (offset, length) => this.#layers.placeIn([...this.#at, 'modes'], offset, length),
    };
    const names = commands.map(({ name }) => name);
    const placed = this.#rows('modes', table, (mistakes) => parseModes(table, names, mistakes));
    const rows = placed.map(({ row }) => row);
    const most = Math.min(...organisations.map(({ counts }) => counts.reduce((all, n) => all * n, 1)).values());
    for (const row of placed.filter(({ row }) => row.banks.some((bank) => bank >= most))) {
      this.#mistakes.push({ message: `a channel has ${most} banks, counted from 0`, place: placeOf(row) });
    }
    return {
      modes: List(rows.filter((row) => row instanceof ModeRow)),
      modeChanges: List(rows.filter((row) => row instanceof ModeChange)),
    };
  }

  #currents(): DramStandard['currents'] {
    const { currents, organisations, speeds } = this.#written;
    const known = Object.keys(organisations).flatMap((name) =>
      Object.values(speeds).map(({ rate }) => currentsKey(name, rate)),
    );
    for (const key of Object.keys(currents).filter((key) => !known.includes(key))) {
      const place = this.#layers.placeOfKey([...this.#at, 'currents', key]);
      const hint = suggest(key, new Set(known));
      this.#mistakes.push({ message: `"${key}" is no organisation and rate of the standard`, place, hint });
    }
    return OrderedMap(Object.entries(currents)).map(
      ({ IDD5PB = null, IDD2P = null, IDD3P = null, IDD6 = null, ...others }) =>
        new Currents({ ...others, IDD5PB, IDD2P, IDD3P, IDD6 }),
    );
  }

  #mistake(path: Path, message: string, hint?: string): void {
    this.#mistakes.push({ message, place: this.#layers.placeOf([...this.#at, ...path]), hint });
  }
}

function placeOf({ locate, length }: Placed<unknown>): Place {
  return locate(0, length);
}

function timingsOf(written: { readonly [name: string]: WrittenTiming }): OrderedMap<string, Timing> {
  return OrderedMap(Object.entries(written)).map(
    (timing): Timing => (typeof timing === 'string' ? timing : timingsOf(timing)),
  );
}
