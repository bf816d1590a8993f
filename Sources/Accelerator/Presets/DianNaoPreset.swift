extension AcceleratorConfig {
    static let dianNaoText = """
        name: diannao
        about: >
          DianNao (ASPLOS 2014) scaled to 1024 multipliers of 8 bits and the buffers of the SmartDeal preset.
        dataflow: inner-product
        array: {m: 32, c: 32}              # filters, inputs of each
        clock_hz: 1e9
        dram_bytes_per_cycle: {value: 64, calibrated: "no paper says; 64 GB/s at 1 GHz"}
        buffers:
          input: {bytes: 524288, banks: 32}
          output: {bytes: 4096, banks: 2}
          weight: {bytes: 262144, banks: 128, pj_per_byte: {value: 0.085, calibrated: "weights are read for every product: 1.36 pJ for a row of 16, latched"}}
        bits: {activation: 8, weight: 8, partial_sum: 24}
        units: 28nm

        """
}
