extension AcceleratorConfig {
    static let eyerissText = """
        name: eyeriss
        about: >
          Eyeriss (ISCA 2016): 12 x 14 processing elements with their register files and 108 KB of buffer, in
          words of 8 bits instead of 16.
        dataflow: row-stationary
        array: {rows: 12, columns: 14, weights: 224, inputs: 12, sums: 24}   # words of an element
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 81920, banks: 20}
          output: {bytes: 20480, banks: 5}
          weight: {bytes: 8192, banks: 2}
        bits: {activation: 8, weight: 8, partial_sum: 24}
        units: 28nm

        """
}
