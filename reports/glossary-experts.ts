/** What the figures of a composition of experts mean. */
export const ofExperts = {
  experts: {
    name: 'Experts',
    definition:
      'What a batch took on average, on one device of those that share every model: the router that reads all prompts, the copies of experts that were missing in the near tier, and the answers, one request after the other.',
  },
  expertBatches: {
    name: 'Batches',
    definition:
      'What each batch took, in the order in which they ran, and the requests whose experts were missing. Of more batches than can be told apart, neighbours are put together, and their mean is drawn.',
  },
  expertTiers: {
    name: 'Tiers',
    definition:
      'What lies in each memory while a batch goes through the sections of its work: experts, in the near tier as copies of those that lie farther away, and other tensors while they live. Tensors that never live at the same time share addresses.',
  },
  tierTensor: {
    name: 'Tensor',
    definition: 'What lies in a tier besides experts: weights of the router, keys and values, activations.',
  },
  tierOf: { name: 'Tier', definition: 'The memory that it lies in.' },
  tierOffset: { name: 'Address', definition: 'Where it begins in the part of the tier that is not for experts.' },
  tierBytes: { name: 'Size', definition: 'Bytes on one device.' },
  tierLife: {
    name: 'Lives in',
    definition: 'The sections of the work of a batch in which it is needed, from the first to the last.',
  },
} as const;
