/// The definition of every operation: plain loops that are easy to check.
///
/// Shapes must have been inferred before, so that these functions only compute.
enum Reference {}
