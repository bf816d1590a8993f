import Accelerator

/// One colour of a bar: where energy goes.
struct EnergyPart: Sendable {
    let name: String
    /// The class that gives it its colour.
    let style: String
    /// pJ.
    let energy: Double

    /// An accelerator's energy by where it goes; together all of it.
    static func places(_ layers: [LayerCost]) -> [EnergyPart] {
        let levels = [
            ("DRAM", MemoryLevel.dram), ("buffers", .sram), ("registers", .registers),
            ("links", .links),
        ]
        let parts = levels.map { name, level in
            (name, layers.reduce(0) { $0 + $1.energy(at: level) })
        }
        return styled(
            parts + [
                ("computing", layers.reduce(0) { $0 + $1.computeEnergy }),
                ("rebuilding weights", layers.reduce(0) { $0 + $1.rebuildEnergy }),
            ])
    }

    /// The same by what is moved; computing and rebuilding together are what is left.
    static func kinds(_ layers: [LayerCost]) -> [EnergyPart] {
        let parts = DataKind.allCases.map { kind in
            (
                kind.rawValue.replacing("_", with: " "),
                layers.reduce(0) { $0 + $1.energy(of: kind) }
            )
        }
        let moved = styled(parts)
        let computing = layers.reduce(0) { $0 + $1.computeEnergy + $1.rebuildEnergy }
        return moved + [EnergyPart(name: "computing", style: "other", energy: computing)]
    }

    private static func styled(_ parts: [(String, Double)]) -> [EnergyPart] {
        parts.enumerated().map { index, part in
            EnergyPart(name: part.0, style: "part\(index)", energy: part.1)
        }
    }

    /// The colours of those that some bar has.
    static func legend(_ bars: [[EnergyPart]]) -> HTML {
        let used = (bars.first ?? []).indices.filter { index in
            bars.contains { $0[index].energy > 0 }
        }
        let entries = used.map { index -> HTML in
            let part = bars[0][index]
            return """
                <span><svg xmlns="http://www.w3.org/2000/svg" width="14" height="12">\
                <rect class="filled \(part.style)" y="1" width="14" height="11" rx="2"/></svg> \
                \(part.name)</span>
                """
        }
        return "\(entries)"
    }
}
