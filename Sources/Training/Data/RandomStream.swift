package import DenseMath

extension SplitMix64 {
    /// A stream of its own for each list of numbers.
    package init(seed: UInt64, for numbers: Int...) {
        var state = seed
        for number in numbers {
            var mixed = SplitMix64(seed: state ^ UInt64(bitPattern: Int64(number)))
            state = mixed.next()
        }
        self.init(seed: state)
    }

    /// 0, 1, ... `count` - 1 in random order.
    package mutating func permutation(_ count: Int) -> [Int] { (0..<count).shuffled(using: &self) }
}
