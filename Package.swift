// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "SmartDeal",
    products: [
        .library(name: "SmartDeal", targets: ["SmartDeal"]),
        .executable(name: "smartdeal", targets: ["SmartDealCLI"]),
        .executable(name: "sd-bench", targets: ["sd-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // System libraries: a module map and a shim header each.
        .systemLibrary(
            name: "COpenBLAS", path: "CSupport/COpenBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(
            name: "CLAPACKE", path: "CSupport/CLAPACKE", pkgConfig: "lapacke",
            providers: [.apt(["liblapacke-dev"]), .brew(["lapack"])]),
        .systemLibrary(
            name: "COneDNN", path: "CSupport/COneDNN",
            providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .systemLibrary(
            name: "CZlib", path: "CSupport/CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CPNG", path: "CSupport/CPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),

        // The hand-written kernels, plain C17, one variant per instruction set.
        .target(
            name: "CShiftKernels", path: "CSupport/CShiftKernels",
            cSettings: [.headerSearchPath("internal")]),

        .target(name: "DenseMath", dependencies: ["COpenBLAS", "CLAPACKE"]),
        .target(name: "PowerOfTwo", dependencies: ["CShiftKernels", "DenseMath"]),
        .target(name: "Networks", dependencies: ["DenseMath", "PowerOfTwo"]),
        .target(
            name: "Decomposition",
            dependencies: [
                "DenseMath", "PowerOfTwo", "Networks", .product(name: "Yams", package: "Yams"),
            ]),
        // Generated from onnx.proto; see its README.
        .target(
            name: "ONNXSchema",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["onnx.proto", "README.md"]),
        .target(
            name: "ModelFiles",
            dependencies: [
                "DenseMath", "PowerOfTwo", "Networks", "ONNXSchema", "CZlib", "CPNG",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        // The one door to oneDNN, and the memory of plans that use it.
        .target(
            name: "DensePrimitives",
            dependencies: ["COneDNN", "DenseMath", "PowerOfTwo", "Networks"]),
        .target(
            name: "Inference",
            dependencies: ["DenseMath", "PowerOfTwo", "Networks", "DensePrimitives"]),
        .target(
            name: "Training",
            dependencies: ["DenseMath", "PowerOfTwo", "Networks", "DensePrimitives"]),
        .target(
            name: "Accelerator",
            dependencies: [
                "DenseMath", "PowerOfTwo", "Networks", .product(name: "Yams", package: "Yams"),
            ]),
        .target(
            name: "SmartDeal",
            dependencies: [
                "DenseMath", "PowerOfTwo", "Networks", "Decomposition", "ModelFiles", "Inference",
                "Training", "Accelerator",
            ]),
        .executableTarget(
            name: "SmartDealCLI",
            dependencies: [
                "SmartDeal",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // The benchmark tool: what it compares and records, the limits of the machine, the tool.
        .target(
            name: "BenchmarkSupport", dependencies: ["SmartDeal"], path: "Benchmarks/support"),
        .target(name: "CMachineLimits", path: "Benchmarks/CMachineLimits"),
        .executableTarget(
            name: "sd-bench",
            dependencies: [
                "SmartDeal", "BenchmarkSupport", "CMachineLimits", "DensePrimitives",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/sd-bench"),

        .testTarget(name: "DenseMathTests", dependencies: ["DenseMath"]),
        .testTarget(name: "PowerOfTwoTests", dependencies: ["PowerOfTwo"]),
        // What ONNX Runtime computes for single operators, for the suites of two modules.
        .target(name: "OperatorCases", dependencies: ["Networks"], path: "Tests/OperatorCases"),
        .testTarget(name: "NetworksTests", dependencies: ["Networks", "OperatorCases"]),
        .testTarget(
            name: "DecompositionTests", dependencies: ["Decomposition", "ModelFiles"]),
        .testTarget(
            name: "ModelFilesTests",
            dependencies: ["ModelFiles", "Networks", "DenseMath", "ONNXSchema"]),
        .testTarget(
            name: "InferenceTests",
            dependencies: ["Inference", "OperatorCases", "Decomposition", "PowerOfTwo"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "Decomposition", "ModelFiles"]),
        .testTarget(name: "AcceleratorTests", dependencies: ["Accelerator", "Networks"]),
        .testTarget(name: "SmartDealTests", dependencies: ["SmartDeal", "ONNXSchema"]),
        .testTarget(name: "SdBenchTests", dependencies: ["BenchmarkSupport", "SmartDeal"]),
        // Runs the built tool as users do; the dependency is there so that it is built.
        .testTarget(name: "SmartDealCLITests", dependencies: ["SmartDeal", "SmartDealCLI"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)
