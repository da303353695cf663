import { type Box, textWidth } from './frame.ts';

export interface Label {
  text: string;
  /** The point that is labelled. */
  x: number;
  y: number;
}

export interface PlacedLabel extends Label {
  /** Left end of the baseline. */
  left: number;
  baseline: number;
}

const textHeight = 13;

const overlap = (a: Box, b: Box) =>
  a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

const within = (inner: Box, outer: Box) =>
  inner.left >= outer.left &&
  inner.top >= outer.top &&
  inner.left + inner.width <= outer.left + outer.width &&
  inner.top + inner.height <= outer.top + outer.height;

/** Where a label may go, best first: beside its point, above and below, then further away. */
function candidates(label: Label): Box[] {
  const width = textWidth(label.text);
  const at = (left: number, middle: number): Box => ({ left, top: middle - textHeight / 2, width, height: textHeight });
  const near = [
    at(label.x + 9, label.y),
    at(label.x - 9 - width, label.y),
    at(label.x - width / 2, label.y + 16),
    at(label.x - width / 2, label.y - 16),
  ];
  const far = [18, 34, 50, 66].flatMap((away) => [
    at(label.x + 12, label.y + away),
    at(label.x - 12 - width, label.y + away),
    at(label.x + 12, label.y - away),
    at(label.x - 12 - width, label.y - away),
  ]);
  return [...near, ...far];
}

/**
 * Puts each label where it covers neither an earlier label nor an obstacle, in the order given. A label with no room is
 * left out: its point can still be read on hover.
 */
export function placeLabels(labels: readonly Label[], obstacles: readonly Box[], bounds: Box): PlacedLabel[] {
  const taken = [...obstacles];
  return labels.flatMap((label) => {
    const place = candidates(label).find((box) => within(box, bounds) && !taken.some((other) => overlap(box, other)));
    if (place === undefined) return [];
    taken.push(place);
    return { ...label, left: place.left, baseline: place.top + textHeight - 3 };
  });
}

/** Boxes along a line, so that labels keep off it. */
export function alongLine(x1: number, y1: number, x2: number, y2: number): Box[] {
  const size = 6;
  const steps = Math.max(1, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / size));
  return [...Array(steps + 1).keys()].map((step) => ({
    left: x1 + ((x2 - x1) * step) / steps - size / 2,
    top: y1 + ((y2 - y1) * step) / steps - size / 2,
    width: size,
    height: size,
  }));
}
