/** Events of an SSD: a kind in the high bits, and below it the request, unit, channel or transaction that it is of. */
const kindBits = 24;

/** A request of a later time arrives at the host's queue. */
export const arrival = 0 << kindBits;
/** The doorbell is at the controller. */
export const doorbell = 1 << kindBits;
/** The controller's request for a command is at the host. */
export const commandAsked = 2 << kindBits;
export const command = 3 << kindBits;
/** The controller's request for data to be written is at the host. */
export const dataAsked = 4 << kindBits;
export const data = 5 << kindBits;
/** The completion is in the host's memory. */
export const completion = 6 << kindBits;
/** The cache's DRAM has finished a request's access, or has read pages to be written to flash. */
export const cacheDone = 7 << kindBits;
export const evicted = 8 << kindBits;
/** Of flash: a unit, a unit, a channel. */
export const commandSent = 9 << kindBits;
export const arrayDone = 10 << kindBits;
export const dataOut = 11 << kindBits;

export const kindMask = ~0 << kindBits;
export const indexMask = ~kindMask;
