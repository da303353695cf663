const empty = new Set(['meta', 'br', 'link', 'img', 'input', 'hr', 'wbr']);

/**
 * The elements of a page in order, after checking that every tag is closed where it must be and every attribute quoted.
 * Scripts and styles are skipped. Throws with the text around the first mistake.
 */
export function elements(page: string): { name: string; attributes: Map<string, string> }[] {
  const text = page.replaceAll(/<(script|style)>[\s\S]*?<\/\1>/g, '<$1></$1>').replace(/^<!doctype html>/, '');
  const open: string[] = [];
  const found: { name: string; attributes: Map<string, string> }[] = [];
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(`${what} at …${text.slice(Math.max(0, at - 60), at + 60)}…`);
  };
  while (at < text.length) {
    const less = text.indexOf('<', at);
    const words = text.slice(at, less < 0 ? undefined : less);
    if (/&(?!(amp|lt|gt|quot|#39);)/.test(words) || words.includes('>')) fail('unescaped text');
    if (less < 0) break;
    at = less;
    const tag = /^<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z0-9:-]+(?:="[^"<]*")?)*)\s*(\/?)>/.exec(
      text.slice(at, at + 200_000),
    );
    if (tag === null) return fail('not a tag');
    const [whole, closing, name, attributes, selfClosing] = tag as unknown as [string, string, string, string, string];
    if (closing !== '') {
      if (open.pop() !== name) fail(`</${name}> closes nothing`);
    } else {
      found.push({
        name,
        attributes: new Map(
          [...attributes.matchAll(/([a-zA-Z0-9:-]+)(?:="([^"]*)")?/g)].map((match) => [match[1]!, match[2] ?? '']),
        ),
      });
      if (selfClosing === '' && !empty.has(name)) open.push(name);
    }
    at += whole.length;
  }
  if (open.length > 0) fail(`<${open.at(-1)}> is never closed`);
  return found;
}
