/** What a machine lacks for an einsum: which operation or link, where, and what is there instead. */
import { type Diagnostic, InputError } from '../../arch/language/diagnostics.ts';
import { costOf } from '../../arch/language/operations.ts';
import { operatorsPerPoint } from '../../workloads/language/shapes.ts';
import { type Einsum, einsumsOf, type LoadedWorkload } from '../../workloads/language/workload.ts';
import { BindError } from './dependencies.ts';
import type { EngineSite, Topology } from './topology.ts';

/** Operators of an einsum that an engine has no unit for. */
export function missingOperators(einsum: Einsum, { part }: EngineSite): string[] {
  return [...operatorsPerPoint(einsum).keys()].filter((operator) => costOf(part.operations, operator) === undefined);
}

/** @throws InputError with every einsum, but those in `elsewhere`, with operations that no engine has all of, at its line. */
export function checkOperations(
  { workload, places }: LoadedWorkload,
  { engines }: Topology,
  elsewhere: ReadonlyMap<string, unknown>,
): void {
  const mistakes = einsumsOf(workload)
    .filter(({ name }) => !elsewhere.has(name))
    .filter((einsum) => engines.every((engine) => missingOperators(einsum, engine).length > 0))
    .map((einsum): Diagnostic => {
      const { message, hint } = noEngine(einsum, engines);
      return { message, hint, place: places.get(einsum.name) };
    });
  if (mistakes.length > 0) throw new InputError(mistakes);
}

/** No engine has all the operations of an einsum. */
export function noEngine(einsum: Einsum, engines: readonly EngineSite[]): BindError {
  const needs = list([...operatorsPerPoint(einsum).keys()]);
  const gaps = engines.map((engine) => ({ engine, missing: missingOperators(einsum, engine) }));
  const each = gaps.map(({ engine, missing }) => `${engine.path} lacks ${list(missing)}, it has ${unitsOf(engine)}`);
  const byKind = gaps.toSorted(
    (a, b) => Number(b.engine.part.kind === 'vector') - Number(a.engine.part.kind === 'vector'),
  );
  const nearest = byKind.toSorted((a, b) => a.missing.length - b.missing.length)[0];
  const hint = nearest && `add ${list(nearest.missing)} to the operations of ${nearest.engine.path}`;
  const has = each.length > 0 ? each.join('; ') : 'the machine has none';
  return new BindError(`no engine can run ${einsum.name}, which needs ${needs}: ${has}`, null, hint, 0, einsum.name);
}

/** The engine that an einsum was placed on lacks operations. */
export function lacksOperators(einsum: Einsum, engine: EngineSite): string {
  const missing = list(missingOperators(einsum, engine));
  return `${einsum.name} needs ${missing}, which ${engine.path} lacks: it has ${unitsOf(engine)}`;
}

/** No scratchpad brings an operand from memory. */
export function noPadToRead(einsum: string, tensor: string, content: string, engine: string, topology: Topology) {
  const message = `no scratchpad for ${content} joins a memory to ${engine}, where ${einsum} reads ${tensor}`;
  return new BindError(`${message}: ${waysOf(engine, topology)}`, null, undefined, 0, einsum);
}

/** No scratchpad takes a result to all that need it. */
export function noPadToWrite(einsum: string, ends: readonly string[], engine: string, topology: Topology): BindError {
  const message = `no scratchpad for results joins ${engine} to ${list(ends)}, which ${einsum} needs`;
  return new BindError(`${message}: ${waysOf(engine, topology)}`, null, undefined, 0, einsum);
}

export function noLink(einsum: string, from: string, to: string, topology: Topology): BindError {
  const engine = topology.engine(from) ? from : to;
  const message = `${einsum} needs a link from ${from} to ${to}, which the machine lacks: ${waysOf(engine, topology)}`;
  return new BindError(message, null, `add the link "${from} -> ${to}"`, 0, einsum);
}

/** `array reads from buffer and writes to vector; hbm is joined to buffer`, with what scratchpads hold. */
function waysOf(engine: string, topology: Topology): string {
  const others = [...topology.pads, ...topology.engines].map(({ path }) => path).filter((path) => path !== engine);
  const named = (paths: readonly string[]): string => list(paths.map((path) => withContents(path, topology)));
  const from = named(others.filter((path) => topology.width(path, engine) !== null));
  const to = named(others.filter((path) => topology.width(engine, path) !== null));
  const joined = topology.memories.map(({ path }) => {
    const pads = topology.routes.filter(({ memory }) => memory === path).map(({ pad }) => pad);
    return `${path} is joined to ${list(pads)}`;
  });
  return [`${engine} reads from ${from} and writes to ${to}`, ...joined].join('; ');
}

function withContents(path: string, topology: Topology): string {
  const holds = topology.pad(path)?.part.holds.toArray() ?? [];
  return holds.length > 0 && holds.length < 3 ? `${path} (for ${list(holds)})` : path;
}

function unitsOf({ part }: EngineSite): string {
  return part.operations.isEmpty() ? 'nothing' : part.operations.keySeq().sort().join(', ');
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const [first = '', last] = [names.slice(0, -1).join(', '), names.at(-1)];
  return first === '' ? last! : `${first} and ${last}`;
}
