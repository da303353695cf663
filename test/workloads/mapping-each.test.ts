import { describe, expect, it } from 'vitest';
import { describeMapping } from '../../workloads/language/describe-mapping.ts';
import { loadMapping, parseMapping } from '../../workloads/language/mapping.ts';
import { mistakesIn } from './cascades.ts';

const parse = (...lines: string[]) => parseMapping(['mapping: test', ...lines].join('\n'), 'test.yaml').mapping;

describe('sections: each', () => {
  it('says that nothing is fused', () => {
    const { each, sections } = parse('sections: each');
    expect([each, sections.size]).toEqual([true, 0]);
    expect(parse('loops: [m]').each).toBe(false);
    expect(parse('sections:', '  - { einsums: [Z] }').each).toBe(false);
    expect(describeMapping(loadMapping('workloads/mappings/unfused.yaml').mapping)).toContain(
      '\na section of each einsum, but for what a recurrence holds together\n',
    );
  });

  it.each([
    [
      ['loops: [m]', 'sections: each'],
      '2:1 [loops] "loops" stands beside "sections"; move it into the section that it is for',
    ],
    [['sections: all'], '2:11 [all] "all" is no sections; one of each'],
    [
      ['sections:', '  - { einsums: [Z], loop: [m] }'],
      '3:21 [loop] unknown key "loop" in sections; did you mean "loops"?',
    ],
  ])('%j is a mistake', (lines, mistake) => {
    expect(mistakesIn(() => parse(...lines))).toEqual([mistake]);
  });
});
