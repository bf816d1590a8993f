internal import DensePrimitives

/// The library that plans run their dense operations with.
public enum InferenceLibrary {
    /// Its name and version.
    public static var description: String { "oneDNN \(OneDNN.version)" }
}
