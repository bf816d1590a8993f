extension AcceleratorConfig {
    static let smartdealText = """
        name: smartdeal
        about: >
          SmartExchange (ISCA 2020), which SmartDeal runs on: 8192 serial units, as many products a cycle as
          1024 parallel ones, data in buffers by kind, weights rebuilt beside the units.
        dataflow: slices
        array: {m: 64, c: 16, f: 8}        # slices (filters), lines (channels), MACs (output columns)
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128}
          index: {bytes: {value: 8192, calibrated: "no paper says"}, banks: 4}
        bits: {activation: 8, weight: 8, coefficient: 4, basis: 8, partial_sum: 24}
        mac: booth-serial
        synchronous_digits: {value: 2.2, calibrated: "digits of the slowest of the units that wait for each other, where no histogram was measured"}
        skip: {weights: row, activations: row}
        storage: {weights: smartdeal, index: row}
        rebuild_reuse: 1                   # a weight is rebuilt for every segment of an output row
        training: {update: bucket-switch, error_bits: 8, gradient_bits: 8, momentum_bits: 8, master_bits: 32, switch_bar: 1}
        units: 28nm

        """
}
