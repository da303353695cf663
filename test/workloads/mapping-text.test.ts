import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { kindOf } from '../../cli/kind.ts';
import { loadMapping, parseMapping } from '../../workloads/language/mapping.ts';
import { mappingText } from '../../workloads/language/mapping-text.ts';

const folder = join(packageRoot, 'workloads/mappings');
// Serving mappings have no text of their own to be written as.
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml') && kindOf(join(folder, file)) === 'mapping');

describe('mappingText', () => {
  it.each(files)('says what %s says', (file) => {
    const { mapping } = loadMapping(join(folder, file));
    expect(parseMapping(mappingText(mapping), 'again.yaml').mapping.equals(mapping)).toBe(true);
  });

  it('puts what belongs together on one line', () => {
    const { mapping } = loadMapping('fusemax-binding');
    expect(mappingText(mapping)).toContain('\nloops: [ b, h, p2, m1, p1 ]\n');
  });
});
