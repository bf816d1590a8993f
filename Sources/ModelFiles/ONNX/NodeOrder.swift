/// The order in which nodes can be run.
enum NodeOrder {
    /// Indices of nodes such that each comes after those whose outputs it uses, and otherwise in
    /// the order given; or the index of a node that depends on itself.
    ///
    /// - Parameters:
    ///   - inputs: the names that each node uses.
    ///   - outputs: the names that each node gives.
    static func sorted(
        inputs: [[String]], outputs: [[String]]
    ) -> Result<[Int], Cycle> {
        var producer: [String: Int] = [:]
        for (index, names) in outputs.enumerated() {
            for name in names where !name.isEmpty && producer[name] == nil {
                producer[name] = index
            }
        }
        enum State { case new, entered, done }
        var states = [State](repeating: .new, count: inputs.count)
        var order: [Int] = []
        order.reserveCapacity(inputs.count)
        // Depth first, with a stack of its own: a chain may be longer than the thread's is deep.
        var stack: [(node: Int, nextInput: Int)] = []
        for start in inputs.indices where states[start] == .new {
            states[start] = .entered
            stack.append((start, 0))
            while let top = stack.last {
                guard top.nextInput < inputs[top.node].count else {
                    states[top.node] = .done
                    order.append(top.node)
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].nextInput += 1
                guard let source = producer[inputs[top.node][top.nextInput]] else { continue }
                switch states[source] {
                case .done: break
                case .entered: return .failure(Cycle(node: source))
                case .new:
                    states[source] = .entered
                    stack.append((source, 0))
                }
            }
        }
        return .success(order)
    }

    /// A node that uses what is computed from its own output.
    struct Cycle: Error {
        let node: Int
    }
}
