/** Sections that repeat together take turns: their spans lie over one another, and only the whole block has a duration. */
import type { Result, SectionResult } from '../models/result.ts';

export interface Block {
  /** The section's name, or those of the first and the last one. */
  name: string;
  repeat: number;
  /** Seconds. */
  start: number;
  end: number;
  /** At least one; with their indices in the Result. */
  sections: readonly (SectionResult & { index: number })[];
}

/** Seconds: the resolution of a run. Spans that share less follow one another. */
const resolution = 1e-12;

/** The sections of a run by what runs back to back, in the order of the run. */
export function blocksOf({ mapping }: Result): Block[] {
  const blocks: SectionResult[][] = [];
  for (const section of mapping.sections) {
    const block = blocks.at(-1);
    if (block !== undefined && takesTurns(block, section)) block.push(section);
    else blocks.push([section]);
  }
  let index = 0;
  return blocks.map((sections): Block => {
    const [first, last] = [sections[0]!, sections.at(-1)!];
    return {
      name: sections.length > 1 ? `${first.name} to ${last.name}` : first.name,
      repeat: first.repeat,
      start: first.start,
      end: Math.max(...sections.map(({ end }) => end)),
      sections: sections.map((section) => ({ ...section, index: index++ })),
    };
  });
}

function takesTurns(block: readonly SectionResult[], section: SectionResult): boolean {
  const end = Math.max(...block.map((before) => before.end));
  return section.repeat > 1 && section.repeat === block[0]!.repeat && section.start < end - resolution;
}
