import { Markup, markup } from '../markup.ts';

/** A self-contained HTML page, of texts that are style sheets and scripts as they stand; a script may be left out. */
export function pageOf({
  title,
  style,
  body,
  script,
}: {
  title: string;
  style: string;
  body: Markup;
  script?: string;
}): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
${new Markup(style)}
</style>
</head>
<body>
<main>
${body}</main>
${script === undefined ? undefined : markup`<script>\n${new Markup(script)}\n</script>\n`}</body>
</html>
`.text;
}
