/// How images become the input of a network, stored with the model.
public struct Preprocessing: Sendable, Equatable, Codable {
    /// A name for people, such as `fashion-mnist`.
    public var name: String
    /// Subtracted from each channel, in units of pixel / 255.
    public var mean: [Float]
    /// What each channel is divided by after that.
    public var standardDeviation: [Float]
    /// The names of the classes in the order of the outputs, where they are known.
    public var classNames: [String]?

    /// Values for one channel hold for all.
    public init(
        name: String, mean: [Float], standardDeviation: [Float], classNames: [String]? = nil
    ) {
        self.name = name
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.classNames = classNames
    }
}
