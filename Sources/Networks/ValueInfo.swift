public import DenseMath

/// What is known of a value of a network before it is run.
public struct ValueInfo: Sendable, Equatable {
    public var elementType: ScalarType
    public var shape: [Int]
    /// The value itself where it does not depend on the inputs' elements: dense parameters and what
    /// is computed from them and from shapes. Packed parameters have none.
    public var constant: Tensor?

    public init(_ elementType: ScalarType, _ shape: [Int], constant: Tensor? = nil) {
        self.elementType = elementType
        self.shape = shape
        self.constant = constant
    }
}
