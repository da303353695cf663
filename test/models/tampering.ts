/** Bound programs with one thing in them changed. */
import type { List } from 'immutable';
import {
  type ChannelSpec,
  type Give,
  Guard,
  type Op,
  type Program,
  type Section,
  type Take,
} from '../../models/binding/program.ts';

/** A guard that never holds. */
export const never = new Guard({ first: 1, notFirst: 1 });

/** Changes every channel of a tensor. */
export function changeChannels(
  program: Program,
  tensor: string,
  change: (channel: ChannelSpec) => ChannelSpec,
): Program {
  return changeSections(program, (section) =>
    section.update('channels', (channels) => channels.map((c) => (c.tensor === tensor ? change(c) : c))),
  );
}

/** Changes how an operation takes (gives) a tensor's tokens. */
export function changeTakes(program: Program, op: string, tensor: string, change: (take: Take) => Take): Program {
  return changeEnds(program, op, tensor, 'takes', change);
}

export function changeGives(program: Program, op: string, tensor: string, change: (give: Give) => Give): Program {
  return changeEnds(program, op, tensor, 'gives', change);
}

function changeEnds<E extends Take | Give>(
  program: Program,
  name: string,
  tensor: string,
  list: 'takes' | 'gives',
  change: (end: E) => E,
): Program {
  let changed = 0;
  const result = changeSections(program, (section) =>
    changeOps(section, (op) => {
      if (op.name !== name) return op;
      const ends = (op.get(list) as unknown as List<E>).map((end) => {
        if (section.channels.get(end.channel)!.tensor !== tensor) return end;
        changed++;
        return change(end);
      });
      return op.set(list, ends as never);
    }),
  );
  if (changed === 0) throw new Error(`${name} has no ${list} of ${tensor}`);
  return result;
}

function changeSections(program: Program, change: (section: Section) => Section): Program {
  return program.update('phases', (phases) =>
    phases.map((phase) => phase.update('sections', (sections) => sections.map(change))),
  );
}

function changeOps(section: Section, change: (op: Op) => Op): Section {
  return section.update('engines', (engines) =>
    engines.map((engine) => engine.update('ops', (ops) => ops.map(change))),
  );
}
