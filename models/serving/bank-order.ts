/** In which banks of a channel rows that follow each other lie. */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';

/**
 * Banks in the order in which consecutive rows lie in them: levels below which reads can follow each other sooner come
 * first, so that a stream runs at the rate of its bus; of those that are alike the lowest, as banks are counted.
 */
export function bankOrder(device: DramDevice): number[] {
  const { counts, levels } = device;
  const below = levels.map((_, level) => counts.slice(level + 1).reduce((all, count) => all * count, 1));
  const order = levels
    .map((_, level) => ({ level, spacing: readSpacing(device, level) }))
    .slice(1)
    .sort((a, b) => a.spacing - b.spacing || b.level - a.level);
  return Array.from({ length: banksOf(device) }, (_, place) => {
    let [rest, bank] = [place, 0];
    for (const { level } of order) {
      bank += (rest % counts[level]!) * below[level]!;
      rest = Math.floor(rest / counts[level]!);
    }
    return bank;
  });
}

/** Ticks at least from a read to one at another node of a level, both below the same node of the level above. */
function readSpacing({ commands, constraints }: DramDevice, level: number): number {
  const read = commands.findIndex(({ access }) => access === 'read');
  const rows = constraints.filter(
    (row) =>
      row.window === 1 &&
      row.after.includes(read) &&
      row.before.includes(read) &&
      (row.sibling ? row.level === level : row.level < level),
  );
  return Math.max(commands[read]?.ticks ?? 1, ...rows.map(({ latency }) => latency));
}
