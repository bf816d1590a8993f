internal import DensePrimitives
internal import Networks
internal import PowerOfTwo

/// A value at its place: sizes, order of elements, memory.
struct PlacedValue {
    let shape: [Int]
    /// What the elements are in the network; ``scale`` says when floats are kept as bytes.
    let elementType: ScalarType
    /// Of floats, and of bytes that stand for them; integers are row-major.
    let layout: Layout
    /// What the bytes stand for; nil when the elements are no bytes.
    let scale: ByteScale?
    let buffer: PlanBuffer

    init(
        shape: [Int], elementType: ScalarType = .float32, layout: Layout,
        scale: ByteScale? = nil, buffer: PlanBuffer
    ) {
        self.shape = shape
        self.elementType = elementType
        self.layout = layout
        self.scale = scale
        self.buffer = buffer
    }

    /// The same memory described by another layout.
    func seen(as layout: Layout) -> PlacedValue {
        PlacedValue(
            shape: layout.shape, elementType: elementType, layout: layout, scale: scale,
            buffer: buffer)
    }
}
