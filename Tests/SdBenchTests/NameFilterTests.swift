import BenchmarkSupport
import Testing

@Suite("The name filter")
struct NameFilterTests {
    @Test(
        "all words must be in the group or the name, in any order and case",
        arguments: [
            (nil, true), ("", true), ("rebuild", true), ("64 F32", true), ("->64", true),
            ("rebuild pack", false), ("f64", false),
        ] as [(String?, Bool)])
    func words(_ text: String?, _ matches: Bool) {
        let filter = NameFilter(text)
        #expect(filter.matches(group: "rebuild", name: "f32, conv 3x3 64->64") == matches)
    }
}
