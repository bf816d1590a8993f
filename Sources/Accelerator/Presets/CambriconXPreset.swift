extension AcceleratorConfig {
    static let cambriconXText = """
        name: cambricon-x
        about: >
          Cambricon-X (MICRO 2016) scaled to 1024 multipliers of 8 bits and the buffers of the SmartDeal
          preset: weights of zero are neither stored nor multiplied, inputs are read densely.
        dataflow: inner-product
        array: {m: 32, c: 32}              # filters, inputs of each
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128, pj_per_byte: {value: 0.085, calibrated: "weights are read for every product: 1.36 pJ for a row of 16, latched"}}
        bits: {activation: 8, weight: 8, partial_sum: 24}
        skip: {weights: element}
        storage: {weights: bitmap}
        units: 28nm

        """
}
