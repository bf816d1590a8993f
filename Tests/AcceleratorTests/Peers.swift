import Accelerator
import Foundation
import Networks

/// The 11 layers that the peers were run on.
enum Peers {
    private static let shapes: [String: (c: Int, m: Int, r: Int, u: Int, h: Int, e: Int)] = [
        "c10_conv1": (3, 64, 3, 1, 32, 32), "c10_l1": (64, 64, 3, 1, 32, 32),
        "c10_l2_0": (64, 128, 3, 2, 32, 16), "c10_l2_ds": (64, 128, 1, 2, 32, 16),
        "c10_l2": (128, 128, 3, 1, 16, 16), "c10_l3_0": (128, 256, 3, 2, 16, 8),
        "c10_l3": (256, 256, 3, 1, 8, 8), "c10_l4_0": (256, 512, 3, 2, 8, 4),
        "c10_l4": (512, 512, 3, 1, 4, 4), "in_l3": (256, 256, 3, 1, 14, 14),
        "in_l4": (512, 512, 3, 1, 7, 7),
    ]

    static func workload(_ name: String) throws -> Workload {
        guard let s = shapes[name] else {
            throw AcceleratorError(.invalidWorkload, ["no layer \(name)"])
        }
        let shape = LayerShape(
            channels: s.c, filters: s.m, kernel: (s.r, s.r), stride: (s.u, s.u),
            padding: (s.r - 1, s.r - 1), input: (s.h, s.h), output: (s.e, s.e))
        return Workload(name: name, layers: [layer(name, shape)])
    }

    static func layer(
        _ name: String, _ shape: LayerShape, _ densities: AssumedDensities = .init()
    ) -> LayerWorkload {
        LayerWorkload(
            name: name, operation: .conv, shape: shape,
            weights: WeightProfile(shape, assuming: densities),
            activations: ActivationProfile(assuming: densities))
    }

    /// The rows of a file of the fixtures, by column.
    static func rows(_ file: String) throws -> [[String: String]] {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/energy/\(file)")
        let lines = try String(contentsOf: url, encoding: .utf8)
            .split(whereSeparator: \.isNewline).map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        return lines.dropFirst().map {
            Dictionary(zip(lines[0], $0), uniquingKeysWith: { first, _ in first })
        }
    }
}

extension Dictionary where Key == String, Value == String {
    func number(_ key: String) -> Double { self[key].flatMap { Double($0) } ?? .nan }
}
