import SmartDeal
import Testing

@Suite("Patterns of names")
struct GlobTests {
    @Test(
        "a pattern matches whole names",
        arguments: [
            ("conv1.weight", "conv1.weight", true),
            ("conv1.weight", "conv1.weights", false),
            ("conv1.weight", "aconv1.weight", false),
            ("conv1.weight", "Conv1.weight", false),
            ("conv1.weight", "conv1xweight", false),
            ("", "", true), ("", "a", false),
            ("*", "", true), ("*", "layer1.0.conv1.weight", true),
            ("**", "ab", true),
            ("layer*.weight", "layer1.0.conv1.weight", true),
            ("layer*.weight", "layer.weight", true),
            ("layer*.weight", "layer1.weight.bias", false),
            ("*conv*", "a.conv.b", true), ("*conv*", "conv", true), ("*conv*", "con.v", false),
            ("*a*b*c", "xaybzc", true), ("*a*b*c", "xaybzcd", false), ("*a*b*c", "cab", false),
            ("a*a", "a", false), ("a*a", "aa", true),
            ("?", "a", true), ("?", "", false), ("?", "ab", false), ("?", "é", true),
            ("layer?.weight", "layer4.weight", true),
            ("layer?.weight", "layer12.weight", false),
            ("*?", "", false), ("*?", "a", true), ("?*?", "ab", true),
            ("{a,b}", "a", true), ("{a,b}", "b", true), ("{a,b}", "ab", false),
            ("{a,b}", "a,b", false),
            ("{a}", "a", true), ("{,module.}fc", "fc", true), ("{,module.}fc", "module.fc", true),
            ("{,module.}fc", ".fc", false), ("{}fc", "fc", true),
            ("l{1,2}.{a,b}", "l2.a", true), ("l{1,2}.{a,b}", "l3.a", false),
            ("{*.w,b?}", "x.w", true), ("{*.w,b?}", "b1", true), ("{*.w,b?}", "b", false),
            ("{a,b", "{a,b", true), ("{a,b", "a", false), ("a}", "a}", true),
            ("[ab]", "[ab]", true), ("[ab]", "a", false), ("a.b", "axb", false),
        ])
    func matching(pattern: String, name: String, isMatch: Bool) {
        #expect(Glob(pattern).matches(name) == isMatch)
    }

    @Test("only a pattern without wildcards is an exact name")
    func exactNames() {
        for name in ["fc.weight", "a}", "[x]", ""] { #expect(Glob(name).isExactName) }
        for pattern in ["*", "a?", "{a,b}"] { #expect(!Glob(pattern).isExactName) }
    }

    @Test("many stars on a long name take no time to speak of", .timeLimit(.minutes(1)))
    func manyStars() {
        let name = String(repeating: "a", count: 2000)
        let pattern = String(repeating: "a*", count: 500) + "b"
        #expect(!Glob(pattern).matches(name))
    }

    @Test("2,000 random patterns agree with a definition by recursion")
    func randomPatterns() {
        func matches(_ pattern: Substring, _ name: Substring) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            if first == "*" {
                return matches(pattern.dropFirst(), name)
                    || (!name.isEmpty && matches(pattern, name.dropFirst()))
            }
            guard let letter = name.first, first == "?" || first == letter else { return false }
            return matches(pattern.dropFirst(), name.dropFirst())
        }
        var random = TestRandom(seed: 31)
        var found = 0
        for _ in 0..<2000 {
            let pattern = String(
                (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
                    "ab*?*".randomElement(using: &random)
                })
            let name = String(
                (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
                    "ab".randomElement(using: &random)
                })
            let expected = matches(pattern[...], name[...])
            #expect(Glob(pattern).matches(name) == expected, "'\(pattern)' and '\(name)'")
            if expected { found += 1 }
        }
        #expect(found > 200)
    }
}
