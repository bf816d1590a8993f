extension AcceleratorConfig {
    static let scnnText = """
        name: scnn
        about: >
          SCNN (ISCA 2017): 64 elements of 4x4 multipliers, scaled to 8 bits and the buffers of the SmartDeal
          preset; zeros of weights and activations are neither stored nor multiplied.
        dataflow: cartesian-product
        array: {elements: 64, multipliers: 16, filters: 8}
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128}
        bits: {activation: 8, weight: 8, partial_sum: 24, run_length: 4}
        skip: {weights: element, activations: element}
        storage: {weights: run-length, activations: run-length}
        utilization: {value: 0.8, calibrated: "elements wait for each other and for banks of accumulators: the paper shows 0.5 to 0.8; small planes come on top"}
        units: 28nm

        """
}
