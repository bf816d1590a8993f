internal import COpenBLAS

/// The BLAS library that this process uses.
public enum BLASLibrary {
    /// Its name, version and kernels, as it names itself.
    public static var description: String {
        guard let text = openblas_get_config() else { return "OpenBLAS" }
        return String(cString: text)
    }

    /// The threads of one call. Decomposition runs in parallel over slices, so that one is best.
    public static var threads: Int {
        get { Int(openblas_get_num_threads()) }
        set { openblas_set_num_threads(Int32(newValue)) }
    }

    /// `C = A · B` in single precision by `sgemm`, the reference of the benchmarks.
    ///
    /// A is `[m, k]`, B `[k, n]`, C `[m, n]`, all row-major.
    package static func multiply(
        m: Int, n: Int, k: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a,
            blasint(k), b, blasint(n), 0, c, blasint(n))
    }

    /// `y = A · x` in single precision by `sgemv`; A is `[m, k]`, row-major.
    package static func multiply(
        m: Int, k: Int, _ a: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>
    ) {
        cblas_sgemv(
            CblasRowMajor, CblasNoTrans, blasint(m), blasint(k), 1, a, blasint(k), x, 1, 0, y, 1)
    }
}
