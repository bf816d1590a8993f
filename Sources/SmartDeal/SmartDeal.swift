@_exported import Accelerator
@_exported import Decomposition
@_exported import DenseMath
@_exported import Inference
@_exported import ModelFiles
@_exported import Networks
@_exported import PowerOfTwo
@_exported import Training

/// The package as a whole.
public enum SmartDeal {
    /// Its version.
    public static let version = "0.1.0"
}
