/** What a failed command says and exits with. */
import { type Diagnostic, InputError } from '../arch/language/diagnostics.ts';
import { DeadlockError } from '../models/kernel/kernel.ts';

/** The run went through, but what came out is wrong. */
export class RunFailure extends Error {}

/** 2 when the input is wrong, 1 when the run failed. */
export function exitCodeOf(error: unknown): number {
  return error instanceof InputError ? 2 : 1;
}

/** The user's mistakes in plain words; anything unforeseen with its stack, to be reported. */
export function messageOf(error: unknown): string {
  if (error instanceof InputError || error instanceof DeadlockError || error instanceof RunFailure)
    return error.message;
  return error instanceof Error ? `unexpected failure: ${error.stack}` : String(error);
}

/** Does every task and only then fails. @throws InputError with the mistakes of all of them. */
export function together<T extends readonly unknown[]>(...tasks: { readonly [K in keyof T]: () => T[K] }): T {
  const mistakes: Diagnostic[] = [];
  const done = tasks.map((task) => {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      mistakes.push(...error.diagnostics);
      return undefined;
    }
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  return done as unknown as T;
}
