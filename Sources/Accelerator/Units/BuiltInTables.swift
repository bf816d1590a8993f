extension EnergyTable {
    static let builtIn: [(name: String, yaml: String)] = [
        ("28nm", papers28nm), ("horowitz-45nm", horowitz45nm), ("eyeriss", eyeriss),
        ("cacti-28nm", cacti28nm), ("cacti-45nm", cacti45nm),
    ]

    private static let papers28nm = """
        name: 28nm
        about: Unit energies of the SmartExchange and SmartDeal papers, a commercial 28 nm technology.
        units:
          dram: {pj: 100, source: "SmartExchange (ISCA 2020), unit energies: pJ per 8 bits"}
          sram:
            - {bytes: 2048, read: 1.36, write: 1.36, source: "SmartExchange (ISCA 2020): 1.36-2.45 pJ per 8 bits; the smallest macro is that of its 2 KB banks"}
            - {bytes: {value: 16384, calibrated: "the paper does not say to which size the upper end belongs: its largest banks are 16 KB"}, read: 2.45, write: 2.45, source: "SmartExchange (ISCA 2020): 1.36-2.45 pJ per 8 bits"}
          register:
            pj: {value: 0.02, calibrated: "the papers give none: the cost of an 8-bit addition"}
            source: "no published value"
          link:
            pj: {value: 0.04, calibrated: "the papers give none: Eyeriss (ISCA 2016), a hop costs two register accesses"}
            source: "no published value"
          mac8: {pj: 0.143, source: "SmartExchange (ISCA 2020): 8-bit MAC"}
          multiply8: {pj: 0.124, source: "SmartExchange (ISCA 2020): 8-bit multiplier"}
          add8: {pj: 0.019, source: "SmartExchange (ISCA 2020): 8-bit adder"}
          float_multiply32: {pj: {value: 2.294, calibrated: "8-bit multiplier times 3.7/0.2, the ratio at 45 nm"}, source: "ratio: Horowitz (ISSCC 2014)"}
          float_add32: {pj: {value: 0.57, calibrated: "8-bit adder times 0.9/0.03, the ratio at 45 nm"}, source: "ratio: Horowitz (ISSCC 2014)"}

        """

    private static let horowitz45nm = """
        name: horowitz-45nm
        about: M. Horowitz, Computing's energy problem (ISSCC 2014), 45 nm at 0.9 V.
        units:
          dram: {pj: 162.5, source: "Horowitz (ISSCC 2014): 1.3-2.6 nJ per 64 bits, the lower end"}
          sram:
            - {bytes: 8192, read: 1.25, write: 1.25, source: "Horowitz (ISSCC 2014): 8 KB cache, 10 pJ per 64 bits"}
            - {bytes: 32768, read: 2.5, write: 2.5, source: "Horowitz (ISSCC 2014): 32 KB cache, 20 pJ per 64 bits"}
            - {bytes: 1048576, read: 12.5, write: 12.5, source: "Horowitz (ISSCC 2014): 1 MB cache, 100 pJ per 64 bits"}
          register:
            pj: {value: 0.03, calibrated: "not in the table: the cost of an 8-bit addition"}
            source: "no published value"
          link:
            pj: {value: 0.06, calibrated: "not in the table: Eyeriss (ISCA 2016), a hop costs two register accesses"}
            source: "no published value"
          add8: {pj: 0.03, source: "Horowitz (ISSCC 2014)"}
          add32: {pj: 0.1, source: "Horowitz (ISSCC 2014)"}
          multiply8: {pj: 0.2, source: "Horowitz (ISSCC 2014)"}
          multiply32: {pj: 3.1, source: "Horowitz (ISSCC 2014)"}
          float_add16: {pj: 0.4, source: "Horowitz (ISSCC 2014)"}
          float_add32: {pj: 0.9, source: "Horowitz (ISSCC 2014)"}
          float_multiply16: {pj: 1.1, source: "Horowitz (ISSCC 2014)"}
          float_multiply32: {pj: 3.7, source: "Horowitz (ISSCC 2014)"}

        """

    private static let eyeriss = """
        name: eyeriss
        about: >
          Relative costs of Eyeriss (ISCA 2016), a 16-bit MAC being 1: register 1, hop 2, buffer 6,
          DRAM 200 for 16 bits. It has no rows for single adders nor for 8 bits.
        units:
          dram: {pj: 100, source: "DNN-Chip Predictor, eyeriss/hardware.yaml: per byte"}
          sram:
            - {bytes: 131072, read: 3.0, write: 3.0, source: "DNN-Chip Predictor, eyeriss/hardware.yaml: 128 KB, per byte"}
          register: {pj: 0.5, source: "DNN-Chip Predictor, eyeriss/hardware.yaml: weights and inputs, per byte"}
          link: {pj: 1.0, source: "DNN-Chip Predictor, eyeriss/hardware.yaml: multicast and unicast, per byte"}
          mac16: {pj: 1.0, source: "DNN-Chip Predictor, eyeriss/hardware.yaml: 16-bit multiplier"}

        """

    private static let cacti28nm = """
        name: cacti-28nm
        about: The 28nm table with buffers by CACTI 7 instead, 64-bit port; 4 to 10 times less.
        units:
          dram: {pj: 100, source: "SmartExchange (ISCA 2020), unit energies: pJ per 8 bits"}
          sram:
            - {bytes: 2048, read: 0.14448895, write: 0.21869740, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 4096, read: 0.25789225, write: 0.29011009, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 8192, read: 0.33776575, write: 0.40893900, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 16384, read: 0.62324550, write: 0.54530875, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 32768, read: 0.80860400, write: 0.71475475, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 65536, read: 1.24899200, write: 1.02926700, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 131072, read: 1.73176950, write: 1.36622200, source: "CACTI 7, 28 nm, 64-bit port"}
            - {bytes: 262144, read: 2.60449000, write: 2.04066700, source: "CACTI 7, 28 nm, 64-bit port"}
          register:
            pj: {value: 0.02, calibrated: "the papers give none: the cost of an 8-bit addition"}
            source: "no published value"
          link:
            pj: {value: 0.04, calibrated: "the papers give none: Eyeriss (ISCA 2016), a hop costs two register accesses"}
            source: "no published value"
          mac8: {pj: 0.143, source: "SmartExchange (ISCA 2020): 8-bit MAC"}
          multiply8: {pj: 0.124, source: "SmartExchange (ISCA 2020): 8-bit multiplier"}
          add8: {pj: 0.019, source: "SmartExchange (ISCA 2020): 8-bit adder"}
          float_multiply32: {pj: {value: 2.294, calibrated: "8-bit multiplier times 3.7/0.2, the ratio at 45 nm"}, source: "ratio: Horowitz (ISSCC 2014)"}
          float_add32: {pj: {value: 0.57, calibrated: "8-bit adder times 0.9/0.03, the ratio at 45 nm"}, source: "ratio: Horowitz (ISSCC 2014)"}

        """

    private static let cacti45nm = """
        name: cacti-45nm
        about: The horowitz-45nm table with buffers by CACTI 7 instead, 64-bit port.
        units:
          dram: {pj: 162.5, source: "Horowitz (ISSCC 2014): 1.3-2.6 nJ per 64 bits, the lower end"}
          sram:
            - {bytes: 2048, read: 0.3444575, write: 0.5298938, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 4096, read: 0.4231900, write: 0.8066950, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 8192, read: 0.7671275, write: 0.9847588, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 16384, read: 1.4512125, write: 1.3371000, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 32768, read: 2.1302250, write: 1.9246875, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 65536, read: 3.2336875, write: 2.4560750, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 131072, read: 4.0357375, write: 3.2581250, source: "CACTI 7, 45 nm, 64-bit port"}
            - {bytes: 262144, read: 5.5894625, write: 4.8118625, source: "CACTI 7, 45 nm, 64-bit port"}
          register:
            pj: {value: 0.03, calibrated: "not in the table: the cost of an 8-bit addition"}
            source: "no published value"
          link:
            pj: {value: 0.06, calibrated: "not in the table: Eyeriss (ISCA 2016), a hop costs two register accesses"}
            source: "no published value"
          add8: {pj: 0.03, source: "Horowitz (ISSCC 2014)"}
          add32: {pj: 0.1, source: "Horowitz (ISSCC 2014)"}
          multiply8: {pj: 0.2, source: "Horowitz (ISSCC 2014)"}
          multiply32: {pj: 3.1, source: "Horowitz (ISSCC 2014)"}
          float_add16: {pj: 0.4, source: "Horowitz (ISSCC 2014)"}
          float_add32: {pj: 0.9, source: "Horowitz (ISSCC 2014)"}
          float_multiply16: {pj: 1.1, source: "Horowitz (ISSCC 2014)"}
          float_multiply32: {pj: 3.7, source: "Horowitz (ISSCC 2014)"}

        """
}
