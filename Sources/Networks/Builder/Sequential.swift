/// Layers one after the other, with names below that of the group.
public struct Sequential: Layer {
    private let name: String?
    private let layers: [any Layer]

    public init(_ name: String? = nil, @LayerBuilder _ layers: () -> [any Layer]) {
        self.name = name
        self.layers = layers()
    }

    public func add(to draft: inout NetworkDraft) throws {
        try draft.addBelow(name, layers)
    }
}

/// x + f(x), or shortcut(x) + f(x).
///
/// It has no name: its layers are called as if they stood in its place, those of the shortcut after
/// those of the branch.
public struct Residual: Layer {
    private let branch: [any Layer]
    private let shortcut: [any Layer]

    public init(
        @LayerBuilder _ branch: () -> [any Layer],
        @LayerBuilder shortcut: () -> [any Layer] = { [] }
    ) {
        self.branch = branch()
        self.shortcut = shortcut()
    }

    public func add(to draft: inout NetworkDraft) throws {
        let start = draft.value
        let result = try draft.branch(from: start, branch)
        let other = try draft.branch(from: start, shortcut)
        try draft.addSum(of: result, other)
    }
}
