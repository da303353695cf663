export async function schema(
  kind:
    | 'arch'
    | 'workload'
    | 'serving'
    | 'composition'
    | 'streaming'
    | 'mapping'
    | 'serving-mapping'
    | 'dataflow-mapping'
    | 'placement'
    | 'standard',
): Promise<void> {
  const schemas = {
    arch: async () => (await import('../arch/language/json-schema.ts')).archJsonSchema(),
    standard: async () => (await import('../arch/language/json-schema.ts')).standardJsonSchema(),
    workload: async () => (await import('../workloads/language/json-schema.ts')).workloadJsonSchema(),
    serving: async () => (await import('../workloads/llm/schema.ts')).servingJsonSchema(),
    streaming: async () => (await import('../workloads/language/streaming.ts')).streamJsonSchema(),
    placement: async () => (await import('../workloads/language/placement.ts')).placementJsonSchema(),
    mapping: async () => (await import('../workloads/language/mapping.ts')).mappingJsonSchema(),
    composition: async () => (await import('../workloads/llm/composition-schema.ts')).compositionJsonSchema(),
    'serving-mapping': async () =>
      (await import('../workloads/language/serving-mapping.ts')).servingMappingJsonSchema(),
    'dataflow-mapping': async () =>
      (await import('../workloads/language/dataflow-mapping.ts')).dataflowMappingJsonSchema(),
  };
  process.stdout.write(`${JSON.stringify(await schemas[kind](), null, 2)}\n`);
}
