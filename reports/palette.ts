import { scaleLinear } from 'd3-scale';

/**
 * Colours by name: on white, on near-black, and on either (for pictures that do not know their page). The hues follow
 * Okabe and Ito, Color Universal Design (2008): told apart with any of the common colour blindnesses, and in lightness too.
 */
export const palette = {
  paper: ['#ffffff', '#12161b', 'none'],
  ink: ['#1b2128', '#e3e7ec', '#77818c'],
  soft: ['#5b6570', '#9aa5b1', '#77818c'],
  line: ['#dde1e6', '#2b323a', '#8c959f55'],
  axis: ['#9aa3ad', '#5d6873', '#8c959f'],
  panel: ['#f6f7f9', '#1a1f26', 'none'],
  busy: ['#2f6ca6', '#3f7fc0', '#3d7fc0'],
  span: ['#c8d8e8', '#24405c', '#3d7fc055'],
  input: ['#e5a128', '#e3a53a', '#e3a33a'],
  output: ['#b877a0', '#c487b0', '#c080a8'],
  memory: ['#c9502a', '#d9683f', '#d05e38'],
  idle: ['#e2e6ea', '#353d47', '#8c959f40'],
  series0: ['#2f6ca6', '#3f7fc0', '#3d7fc0'],
  series1: ['#e5a128', '#e3a53a', '#e3a33a'],
  series2: ['#1f8f70', '#35a685', '#2a9a7a'],
  series3: ['#b877a0', '#c487b0', '#c080a8'],
  series4: ['#7db8de', '#8fc6ea', '#80bce2'],
  series5: ['#c9502a', '#d9683f', '#d05e38'],
  others: ['#9aa3ad', '#717c88', '#8c959f'],
} as const satisfies { [name: string]: readonly [string, string, string] };

export type Colour = keyof typeof palette;

const names = Object.keys(palette) as Colour[];

/** Colours for categories in their order; more than six cannot be told apart and share `others`. */
export const categorical: readonly Colour[] = ['series0', 'series1', 'series2', 'series3', 'series4', 'series5'];

/** Declarations for a page that follows the reader's colour scheme. */
export const paletteVariables: string = names
  .map((name) => `--${name}: light-dark(${palette[name][0]}, ${palette[name][1]});`)
  .join('\n  ');

const onPale = new Set<Colour>(['input', 'output', 'series3', 'series1', 'series4', 'others']);

function textOn(name: Colour, colour: (name: Colour) => string): string {
  if (name === 'idle') return colour('ink');
  return onPale.has(name) ? '#1b2128' : '#ffffff';
}

/** Rules for the classes that charts use, with colours as variables or as literals. */
export function chartRules(colour: (name: Colour) => string): string {
  const fills = names.map(
    (name) => `.chart .f-${name} { fill: ${colour(name)}; }
.chart .on-${name} { fill: ${textOn(name, colour)}; }`,
  );
  return `.chart text { font: 12px/1.2 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: ${colour('ink')};
  font-variant-numeric: tabular-nums; }
.chart text.soft { fill: ${colour('soft')}; }
.chart text.strong { font-weight: 600; }
.chart .grid { stroke: ${colour('line')}; stroke-width: 1; shape-rendering: crispEdges; }
.chart .axis { stroke: ${colour('axis')}; stroke-width: 1; shape-rendering: crispEdges; }
.chart .roof { stroke: ${colour('soft')}; stroke-width: 1.5; fill: none; }
.chart .peak { stroke: ${colour('memory')}; stroke-width: 1.25; stroke-dasharray: 5 4; }
.chart .leader { stroke: ${colour('axis')}; stroke-width: 0.75; }
.chart .ring { stroke: ${colour('paper')}; stroke-width: 1.5; }
.chart .hit { fill: transparent; }
${fills.join('\n')}
.chart text.halo { paint-order: stroke; stroke: ${colour('paper')}; stroke-width: 3px; stroke-linejoin: round; }`;
}

/** From little to much, on white and on near-black: lightness runs one way, so that it reads without hues too. */
const heat = {
  light: ['#d9ecc4', '#7cc8ae', '#2f82b7', '#16245c'],
  dark: ['#25355f', '#2b75a3', '#5bbd9c', '#f4f2b4'],
};

/** Steps of the scale from little to much: the classes `heat0` to `heat9`. */
export const heatSteps = 10;

/** Rules for the strokes of heat maps, on a page that follows the reader's colour scheme. */
export function heatRules(): string {
  const along = (stops: readonly string[]) =>
    scaleLinear<string>(
      stops.map((_, index) => (index * (heatSteps - 1)) / (stops.length - 1)),
      stops,
    );
  const [light, dark] = [along(heat.light), along(heat.dark)];
  const rules = Array.from(
    { length: heatSteps },
    (_, step) => `.chart .heat${step} { stroke: light-dark(${light(step)}, ${dark(step)}); }`,
  );
  return `.chart [class^="heat"] { fill: none; shape-rendering: crispEdges; }\n${rules.join('\n')}`;
}

/** Rules for the squares of a grid, on a page that follows the reader's colour scheme. */
export const gridRules = `.chart .marked { stroke: var(--ink); stroke-width: 1.75; }`;
