/** Technology files: energy and area tables, each row with its source. */

import { dirname, join } from 'node:path';
import { List, Map } from 'immutable';
import { z } from 'zod';
import { type Diagnostic, InputError, type Place, suggest } from './diagnostics.ts';
import { libraryFile } from './library.ts';
import { area, count, energy, energyPerBit, parsed, size } from './quantities.ts';
import { check, type Path, Source } from './source.ts';
import { AreaRow, MemoryRow, RegisterRow, SramAreaRow, SramRow, Technology, UnitRow } from './technology.ts';
import { UnitError } from './units.ts';

const source = z.string().describe('A key of `sources`, and after a semicolon what is particular to the row');

const unit = z.strictObject({
  energy: energy.optional().describe('Of one action; left out when the source has none'),
  area: area.describe('Of one unit'),
  source,
});

const register = z.strictObject({
  words: count.describe('Words it holds'),
  bits: count.default(16).describe('Bits of a word'),
  read: energy.describe('Of reading a word'),
  write: energy.describe('Of writing a word'),
  area: area.describe('Of the file'),
  source,
});

const sram = z.strictObject({
  capacity: size.describe('Bytes it holds, all banks together'),
  width: size.optional().describe('Bytes of one access; left out with the energies'),
  banks: count.default(1).describe('Banks'),
  ports: count.default(1).describe('Ports of a bank'),
  read: energy.optional().describe('Of reading `width` bytes; left out when the source has none'),
  write: energy.optional().describe('Of writing `width` bytes; left out when the source has none'),
  area: area.describe('All banks together'),
  source,
});

const memory = z.strictObject({ perBit: energyPerBit.describe('Of a bit moved'), source });

const node = parsed(z.string(), parseNode, ['45 nm']);

const technologySchema = z.strictObject({
  technology: z.string().describe('Name of the technology'),
  about: z.string().default('').describe('What was measured, in a sentence'),
  use: z.array(z.string()).default([]).describe('Technology files whose rows come after those of this one'),
  node: node.describe('Feature size'),
  word: count.default(16).describe('Bits of the word that unit rows were measured for'),
  sources: z.record(z.string(), z.string()).default({}).describe('Papers and programs, by the name that rows use'),
  units: z.record(z.string(), unit).default({}).describe('Arithmetic units by action: mac, add, max, ...'),
  registers: z.array(register).default([]).describe('Register files'),
  sram: z.array(sram).default([]).describe('On-chip memories'),
  memory: z.record(z.string(), memory).default({}).describe('Memory devices'),
});

type Tables = z.output<typeof technologySchema>;

function parseNode(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*nm$/.exec(text.trim());
  if (match) return Number(match[1]);
  throw new UnitError(`"${text}" is no feature size`, undefined, 'such as "45 nm"');
}

/**
 * A technology by name: from `parts/technology` beside the machine's file, else from the library. Mistakes come back
 * instead, so that the machine's own can be reported with them.
 */
export function loadTechnology(
  name: string,
  user: { readonly file: string; readonly place: Place },
  users: readonly string[] = [],
): Technology | Diagnostic[] {
  const found = libraryFile('arch/parts/technology', name, join(dirname(user.file), 'parts/technology'));
  if ('hint' in found) {
    return [{ message: `there is no technology "${name}"`, place: user.place, hint: found.hint }];
  }
  if (users.includes(name)) {
    return [{ message: `${[...users, name].join(' uses ')}: a circle`, place: user.place }];
  }
  try {
    return readTechnology(found.file, user.file, [...users, name]);
  } catch (error) {
    if (error instanceof InputError) return [...error.diagnostics];
    throw error;
  }
}

/** The technology of one file. @throws InputError with every mistake in it and in the files it uses. */
export function loadTechnologyFile(file: string): Technology {
  // What it uses is looked for beside it, as if a machine used it that lies where machines do.
  return readTechnology(file, join(dirname(file), '../../machine.yaml'), []);
}

/** @throws InputError */
function readTechnology(path: string, user: string, users: readonly string[]): Technology {
  const file = Source.read(path);
  const tables = check(technologySchema, file.value(), file);
  const own = toTechnology(tables, file);
  const used = tables.use.map((other, i) =>
    loadTechnology(other, { file: user, place: file.placeOf(['use', i]) }, users),
  );
  const mistakes = used.filter((other) => Array.isArray(other)).flat();
  if (mistakes.length > 0) throw new InputError(mistakes);
  return (used as Technology[]).reduce(followedBy, own);
}

/** @throws InputError on rows that name no source, or give only part of their energies. */
function toTechnology(tables: Tables, file: Source): Technology {
  const mistakes: Diagnostic[] = [];
  const sourced = <Row extends { readonly source: string }>(row: Row, at: Path): Row => {
    const [key, ...detail] = row.source.split(';');
    const full = tables.sources[key!.trim()];
    if (full === undefined) {
      const place = file.placeOf([...at, 'source']);
      const hint = suggest(key!.trim(), Object.keys(tables.sources));
      mistakes.push({ message: `"${key!.trim()}" is not among the sources`, place, hint });
    }
    return { ...row, source: [full, ...detail.map((text) => text.trim())].join('; ') };
  };

  const units = Object.entries(tables.units).map(([name, row]) => [name, sourced(row, ['units', name])] as const);
  const srams = tables.sram.map((row, i) => sourced(row, ['sram', i]));
  srams.forEach(({ width, read, write }, i) => {
    const given = [width, read, write].filter((value) => value !== undefined).length;
    if (given === 0 || given === 3) return;
    const place = file.placeOf(['sram', i]);
    mistakes.push({ message: 'an SRAM row has width, read and write, or none of them', place });
  });

  const technology = new Technology({
    name: tables.technology,
    about: tables.about,
    node: tables.node,
    word: tables.word,
    units: Map(
      units.flatMap(([name, { energy: joules, ...row }]) =>
        joules === undefined ? [] : [[name, new UnitRow({ ...row, energy: joules })]],
      ),
    ),
    areas: Map(
      units.flatMap(([name, { energy: joules, ...row }]) => (joules === undefined ? [[name, new AreaRow(row)]] : [])),
    ),
    registers: List(tables.registers.map((row, i) => new RegisterRow(sourced(row, ['registers', i])))),
    sram: List(
      srams.flatMap(({ width, read, write, ...row }) =>
        width === undefined || read === undefined || write === undefined
          ? []
          : [new SramRow({ ...row, width, read, write })],
      ),
    ),
    sramAreas: List(
      srams
        .filter(({ read }) => read === undefined)
        .map(({ capacity, area: mm2, source: from }) => new SramAreaRow({ capacity, area: mm2, source: from })),
    ),
    memory: Map(
      Object.entries(tables.memory).map(([name, row]) => [name, new MemoryRow(sourced(row, ['memory', name]))]),
    ),
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  return technology;
}

/** The rows of both; where both have a row of a name, the first one's. */
function followedBy(first: Technology, second: Technology): Technology {
  const units = second.units.merge(first.units);
  return first.merge({
    units,
    areas: second.areas.merge(first.areas).filter((_, name) => !units.has(name)),
    registers: first.registers.concat(second.registers),
    sram: first.sram.concat(second.sram),
    sramAreas: first.sramAreas.concat(second.sramAreas),
    memory: second.memory.merge(first.memory),
  });
}
