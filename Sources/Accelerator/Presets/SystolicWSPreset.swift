extension AcceleratorConfig {
    static let systolicWSText = """
        name: systolic-ws
        about: >
          A dense systolic array in which weights stay, as SCALE-Sim describes them, with the buffers of the
          SmartDeal preset.
        dataflow: weight-stationary
        array: {rows: 32, columns: 32, accumulators: 1}
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128}
        bits: {activation: 8, weight: 8, partial_sum: 24}
        units: 28nm

        """
}
