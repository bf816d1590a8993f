import SmartDeal
import Testing

@Suite("The text table")
struct TextTableTests {
    @Test("columns line up as asked, below a rule, and no line ends with spaces")
    func alignment() {
        var table = TextTable(["name", "n", "b"], leftAligned: [0, 2])
        table.add(["a", "100", "x"])
        table.add(["longer", "1", ""])
        #expect(
            table.lines == [
                "name      n  b", "------  ---  -", "a       100  x", "longer    1",
            ])
        #expect(table.text == table.lines.joined(separator: "\n"))
    }
}
