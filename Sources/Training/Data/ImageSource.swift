package import DenseMath

/// Labelled images, normalised.
package protocol ImageSource: Sendable {
    /// `[C, H, W]`.
    var imageShape: [Int] { get }
    /// The class of each image.
    var labels: [Int] { get }
    /// What a pixel of 0 is after normalisation, by channel.
    var black: [Float] { get }

    /// Images at some indices, `[N, C, H, W]`.
    func images(_ indices: [Int]) throws -> Tensor
}

/// What one step trains on.
package struct Batch: Sendable {
    /// `[N, C, H, W]`.
    package let images: Tensor
    package let labels: [Int]
}
