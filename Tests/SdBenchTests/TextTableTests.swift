import BenchmarkSupport
import Testing

@Suite("The text table")
struct TextTableTests {
    @Test("words line up at the left, numbers at the right, and no line ends with spaces")
    func alignment() {
        var table = TextTable([
            .init("name", isNumeric: false), .init("n"), .init("b", isNumeric: false),
        ])
        table.append(["a", "100", "x"])
        table.append(["longer", "1", ""])
        #expect(table.lines == ["name      n  b", "a       100  x", "longer    1"])
    }
}
