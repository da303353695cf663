/** Values as text: equal values, however they came about, have equal text. */
import { createHash } from 'node:crypto';
import { type Map as ImmutableMap, isCollection, isKeyed, isMap, isOrdered, isRecord, isSet, Record } from 'immutable';

/** Texts of immutable values, which never change: variants of a machine share most of their parts. */
const known = new WeakMap<object, string>();

/** Texts that are longer are told by their hash. */
const longest = 256;

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Something in a value that has no value of its own, such as a function. */
export class CanonicalError extends Error {}

/**
 * Plain data, typed arrays, and immutable records and collections. Keys of objects and maps have no order, unless the map
 * is an ordered one.
 * @throws CanonicalError on functions, and on instances of classes, whose value may be hidden.
 */
export function canonical(value: unknown, path = 'inputs'): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : ofObject(value, path);
    default:
      throw new CanonicalError(`${path} is a ${typeof value}, which cannot be told from others by its value`);
  }
}

function ofObject(value: object, path: string): string {
  const seen = known.get(value);
  if (seen !== undefined) return seen;
  const isImmutable = isCollection(value) || isRecord(value);
  const whole = isImmutable ? ofImmutable(value, path) : ofPlain(value, path);
  const text = whole.length > longest ? `#${sha256(whole)}` : whole;
  if (isImmutable) known.set(value, text);
  return text;
}

type Immutable = ImmutableMap<unknown, unknown>;

function ofImmutable(value: object, path: string): string {
  if (isRecord(value)) {
    const fields = [...(value.toSeq() as unknown as Immutable).entries()].map(field(path));
    return `${Record.getDescriptiveName(value)}{${fields.join()}}`;
  }
  const ordered = isOrdered(value) && (isMap(value) || isSet(value));
  const name = ordered ? 'Ordered' : '';
  if (isKeyed(value)) return `${name}Map{${inOrder([...value.entries()].map(field(path)), ordered)}}`;
  const items = [...(value as Iterable<unknown>)].map((item, i) => canonical(item, `${path}[${i}]`));
  return isSet(value) ? `${name}Set{${inOrder(items, ordered)}}` : `[${items.join()}]`;
}

const field =
  (path: string) =>
  ([key, value]: readonly [unknown, unknown]): string =>
    `${canonical(key, path)}:${canonical(value, `${path}.${String(key)}`)}`;

const inOrder = (texts: readonly string[], ordered: boolean): string => (ordered ? texts : texts.toSorted()).join();

function ofPlain(value: object, path: string): string {
  if (Array.isArray(value)) return `[${value.map((item, i) => canonical(item, `${path}[${i}]`)).join()}]`;
  if (value instanceof Map) return `Map{${inOrder([...value.entries()].map(field(path)), false)}}`;
  if (value instanceof Set)
    return `Set{${inOrder(
      [...value].map((item) => canonical(item, path)),
      false,
    )}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name}[${(value as Uint8Array).join()}]`;
  const prototype = Object.getPrototypeOf(value);
  // Plain objects of another realm have a prototype without one of its own.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) {
    const present = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${inOrder(present.map(field(path)), false)}}`;
  }
  const name = prototype.constructor?.name ?? 'class';
  throw new CanonicalError(`${path} is an instance of ${name}, whose value may be hidden: give what it is made from`);
}
