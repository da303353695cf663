/** Reading a tensor as zero outside its edges. */
import { type Box, clamp, eachRow, offsetOf, regionOf } from './region.ts';
import type { Access } from './workload.ts';

/** What an access reads of a padded tensor, the zeros around it included, as a row-major tensor of its own. */
export interface Frame {
  readonly shape: readonly number[];
  /** Position in the padded tensor of the frame's first element. */
  readonly origin: readonly number[];
  /** The frame with the tensor's values in it, as far as an access during the box reads them. */
  readonly fill: (tensor: Float64Array, box: Box) => Float64Array;
}

/** `space` is the whole iteration space, and `shape` that of the tensor. */
export function frameOf({ indices }: Access, space: Box, shape: readonly number[]): Frame {
  const whole = regionOf(indices, space, shape);
  const extents = whole.map(([from, to]) => to - from);
  const origin = whole.map(([from]) => from);
  // Nothing is ever written where the zeros are.
  const values = new Float64Array(extents.reduce((product, extent) => product * extent, 1));
  const fill = (tensor: Float64Array, box: Box): Float64Array => {
    eachRow(clamp(regionOf(indices, box, shape), shape), (position, count) => {
      const at = offsetOf(position, shape);
      values.set(tensor.subarray(at, at + count), offsetOf(position, extents, origin));
    });
    return values;
  };
  return { shape: extents, origin, fill };
}
