internal import DensePrimitives
internal import Networks

/// A value at its place: sizes, order of elements, memory.
struct PlacedValue {
    let shape: [Int]
    let elementType: ScalarType
    /// Of floats; integers are row-major.
    let layout: Layout
    let buffer: PlanBuffer
}
