extension AcceleratorConfig {
    static let bitPragmaticText = """
        name: bit-pragmatic
        about: >
          Bit-Pragmatic (MICRO 2017) on the array and buffers of the SmartDeal preset: serial units, dense
          weights of 8 bits, no zeros skipped.
        dataflow: slices
        array: {m: 64, c: 16, f: 8}        # slices (filters), lines (channels), MACs (output columns)
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128}
        bits: {activation: 8, weight: 8, partial_sum: 24}
        mac: booth-serial
        synchronous_digits: {value: 2.2, calibrated: "digits of the slowest of the units that wait for each other, where no histogram was measured"}
        units: 28nm

        """
}
