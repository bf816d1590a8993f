internal import Foundation
internal import PowerOfTwo

extension SmartDealVariable {
    /// For each basis the exponent of two nearest to the root mean square of its scales.
    static func exponents(_ weight: SmartDealWeight) -> [Int] {
        let geometry = weight.geometry
        var squares = [Double](repeating: 0, count: geometry.basisCount)
        var counts = squares
        for filter in 0..<geometry.filterCount {
            for slice in 0..<geometry.sliceCount {
                let index = geometry.basisIndex(filter: filter, slice: slice)
                let scale = Double(weight.scale(filter: filter, slice: slice))
                squares[index] += scale * scale
                if scale != 0 { counts[index] += 1 }
            }
        }
        return zip(squares, counts).map { sum, count in
            guard sum > 0, sum.isFinite else { return 0 }
            return max(-100, min(100, Int(log2((sum / count).squareRoot()).rounded())))
        }
    }

    /// Scales divided and bases multiplied by the powers of two.
    static func normalized(
        _ weight: SmartDealWeight, _ exponents: [Int]
    ) -> (scales: [Float], basis: [Float]) {
        let geometry = weight.geometry
        let scales = (0..<geometry.filterCount).flatMap { filter in
            (0..<geometry.sliceCount).map { slice in
                let exponent = exponents[geometry.basisIndex(filter: filter, slice: slice)]
                return Float(Double(weight.scale(filter: filter, slice: slice)) * power(-exponent))
            }
        }
        let size = weight.rank * geometry.width
        let basis = (0..<weight.basis.count).map { index in
            Float(Double(weight.basis[index]) * power(exponents[index / size]))
        }
        return (scales, basis)
    }

    static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
