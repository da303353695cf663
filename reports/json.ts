import type { Result } from '../models/result.ts';

/** The result as JSON, two spaces deep, its keys in the order of the Result. */
export function toJson(result: Result): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
