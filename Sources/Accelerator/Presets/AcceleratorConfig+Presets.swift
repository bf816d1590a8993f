import enum Networks.NearNames

extension AcceleratorConfig {
    private static let texts: [(name: String, yaml: String)] = [
        ("smartdeal", smartdealText), ("diannao", dianNaoText), ("scnn", scnnText),
        ("cambricon-x", cambriconXText), ("bit-pragmatic", bitPragmaticText),
        ("eyeriss", eyerissText), ("systolic-os", systolicOSText),
        ("systolic-ws", systolicWSText),
    ]

    /// The names of the built-in accelerators.
    public static var presetNames: [String] { texts.map(\.name) }

    /// The YAML text of a built-in accelerator, to print and edit.
    ///
    /// - Throws: ``AcceleratorError`` `.unknownPreset` with near names.
    public static func presetText(_ name: String) throws -> String {
        guard let found = texts.first(where: { $0.name == name }) else {
            throw AcceleratorError(
                .unknownPreset,
                [
                    "there is no accelerator '\(name)'"
                        + NearNames.hint(name, among: presetNames) + "; there are "
                        + presetNames.joined(separator: ", ")
                ])
        }
        return found.yaml
    }

    /// A built-in accelerator.
    ///
    /// - Throws: ``AcceleratorError`` `.unknownPreset` with near names.
    public static func preset(_ name: String) throws -> AcceleratorConfig {
        try AcceleratorConfig(yaml: presetText(name))
    }
}
