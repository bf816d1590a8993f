import Foundation
import SmartDeal
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("The HTML report")
struct HTMLReportTests {
    @Test("says what became of the file, in numbers for people")
    func headline() throws {
        let page = try Self.report([Self.tensor("a.weight", error: 0.093)]).html()
        for text in [
            "model.safetensors", "13.2 MB \u{2192} 1.07 MB", "<b>12.3x</b> smaller",
            "<b>4.06 bits</b> a weight", "<b>9.3 %</b> error", "3 min 20 s", "2 threads, avx2",
            "<dd>best</dd>", "<dd>default</dd>",
        ] {
            #expect(page.contains(text), "\(text)")
        }
        #expect(!page.contains("estimated"))
    }

    @Test("says that nothing was written when it is an estimate")
    func estimate() throws {
        var report = try Self.report([Self.tensor("a.weight", error: 0.1)])
        report.estimated = true
        #expect(report.html().contains("estimated, nothing was written"))
    }

    @Test("says so when the file grew")
    func growth() throws {
        var report = try Self.report([Self.tensor("a.weight", error: 0.1)])
        report.ratio = 0.5
        #expect(report.html().contains("<b>2.00x</b> the size"))
    }

    @Test(
        "is well-formed and loads nothing",
        arguments: [0, 1, 2, 300], [nil, 0, 1e-12, 0.05, 0.9999, 1.4, 1e300])
    func wellFormed(count: Int, error: Double?) throws {
        let tensors = try (0..<count).map { index in
            try Self.tensor("layers.\(index).weight", error: error)
        }
        let page = try Self.report(tensors + Self.keptTensors(count)).html()
        try Self.expectWellFormed(page)
        Self.expectSelfContained(page)
    }

    @Test("is well-formed when an error is not a number", arguments: [Double.nan, .infinity])
    func notANumber(error: Double) throws {
        var report = try Self.report([
            Self.tensor("a.weight", error: 0.1), Self.tensor("b.weight", error: nil),
        ])
        report.tensors[1].relative_error = error
        report.relative_error = error
        let page = report.html()
        try Self.expectWellFormed(page)
        #expect(page.contains("not a number"))
        #expect(Self.points(in: page) == 1)
    }

    @Test(
        "shows hostile names as text",
        arguments: [
            "<script src=\"x\">alert(1)</script>", "\"><img onerror='x' src=x>", "a&amp;b", "]]>",
            "--><b>", "\u{0}\u{1}\u{1B}[31m\r\n", "\u{202E}thgiew\u{2028}\u{FFFE}", "",
            "https://example.org", String(repeating: "<&\"'", count: 2000),
            "e" + String(repeating: "\u{301}", count: 5000),
        ])
    func hostileNames(name: String) throws {
        var report = try Self.report([
            Self.tensor(name, error: 0.1), Self.tensor("b", error: 0.2, alphabet: name),
        ])
        report.input = name
        report.output = name
        report.mode = name
        report.recipe = name
        report.instruction_set = name
        report.tensors[1].kind = name
        report.tensors[1].dtype = name
        report.tensors[1].reason = name
        report.tensors += try Self.keptTensors(1)
        report.tensors[2].reason = name
        report.tensors[2].name = name
        let page = report.html()
        try Self.expectWellFormed(page)
        for markup in ["<script", "<img", "<b>\"", "onerror='", "\u{0}", "\u{1B}", "\u{202E}"] {
            #expect(!page.contains(markup), "\(markup.debugDescription)")
        }
    }

    @Test("survives shapes and sizes that no file has")
    func absurdNumbers() throws {
        var report = try Self.report([Self.tensor("a", error: -1), Self.tensor("b", error: 0.1)])
        report.tensors[0].shape = [Int](repeating: .max, count: 40)
        report.tensors[0].bytes_before = .max
        report.tensors[0].bits_per_weight = 1e300
        report.tensors[0].symbol_counts = []
        report.tensors[1].shape = [-3, 5]
        report.tensors[1].bytes_before = .max
        report.tensors[1].bits_per_weight = -.infinity
        report.tensors[1].symbol_counts = [Int](repeating: .max, count: 40)
        report.seconds = .nan
        report.ratio = 0
        try Self.expectWellFormed(report.html())
    }

    @Test("shows an escaped name as it is in the file")
    func escapedName() throws {
        let name = #"a<b>&"c'"#
        let page = try Self.report([Self.tensor(name, error: 0.1)]).html()
        #expect(page.contains("<bdi>a&lt;b&gt;&amp;&quot;c&#39;</bdi>"))
    }

    @Test("shortens a very long name, and keeps all of it in the tooltip")
    func longName() throws {
        let name = String(repeating: "block.", count: 500) + "weight"
        let page = try Self.report([Self.tensor(name, error: 0.1)]).html()
        #expect(page.contains("<bdi title=\"\(name)\">"))
        #expect(!page.contains(">\(name)<"))
    }

    @Test("lists the five largest errors, the worst first")
    func worst() throws {
        let errors = [0.11, 0.72, 0.33, 0.54, 0.25, 0.66]
        let page = try Self.report(
            errors.map { try Self.tensor("e\($0)", error: $0) }
        ).html()
        let list = try #require(page.firstRange(between: "<ol class=\"worst\">", and: "</ol>"))
        let found = list.components(separatedBy: "<bdi>").dropFirst().map { $0.prefix(5) }
        #expect(found == ["e0.72", "e0.66", "e0.54", "e0.33", "e0.25"])
    }

    @Test("draws a point for every compressed tensor with a known error")
    func chart() throws {
        let page = try Self.report(
            [0, 0.05, nil, 0.3, 1.7].enumerated().map { try Self.tensor("t\($0)", error: $1) }
                + Self.keptTensors(3)
        ).html()
        #expect(Self.points(in: page) == 4)
        for label in ["bits a weight</text>", "relative error</text>", "int2, round to nearest"] {
            #expect(page.contains(label))
        }
    }

    @Test("has no chart, no symbols and no worst tensors when nothing was compressed")
    func nothingCompressed() throws {
        var report = try Self.report(Self.keptTensors(2))
        report.relative_error = nil
        report.bits_per_weight = nil
        let page = report.html()
        #expect(page.contains("no tensor was compressed"))
        #expect(!page.contains("class=\"chart\""))
        #expect(!page.contains("class=\"histogram\""))
        #expect(!page.contains("class=\"worst\""))
        #expect(page.contains("bias or statistics"))
    }

    @Test("adds the symbols of all tensors of an alphabet and labels them with coefficients")
    func histogram() throws {
        let page = try Self.report([
            Self.tensor("a", error: 0.1, symbols: [3, 0, 0, 1]),
            Self.tensor("b", error: 0.1, symbols: [1, 0, 0, 3]),
            Self.tensor("c", error: 0.1, alphabet: "mine", symbols: [7]),
        ]).html()
        #expect(page.contains("<b>4x4</b>, 8 symbols in 2 tensors"))
        #expect(page.contains(">(1, -1/4)<"))
        #expect(page.contains(">50.0 %</text>"))
        #expect(page.contains("<b>mine</b>, 7 symbols in 1 tensor"))
        #expect(page.contains(">symbol 0<"))
    }

    @Test("shows densities only where something is dropped")
    func densities() throws {
        var report = try Self.report([Self.tensor("a", error: 0.1)])
        #expect(!report.html().contains("not zero"))
        report.tensors[0].group_density = 0.6
        report.tensors[0].density = 0.99999
        let page = report.html()
        #expect(page.contains("60.0 % of groups"))
        #expect(page.contains("&gt; 99.9 % of coefficients"))
        #expect(!page.contains("of rows"))
    }

    @Test("folds the kept tensors away when there are many, their reasons counted")
    func keptTensors() throws {
        #expect(try Self.report(Self.keptTensors(3)).html().contains("<details open="))
        let page = try Self.report(Self.keptTensors(200)).html()
        #expect(page.contains("<details><summary>200 tensors, 51.2 kB: bias or statistics"))
    }
}

extension HTMLReportTests {
    /// A report with round numbers, by way of its JSON.
    fileprivate static func report(
        _ tensors: [CompressionReport.Tensor]
    ) throws -> CompressionReport {
        let json = """
            {"input": "/models/model.safetensors", "output": "/models/small.safetensors",
             "mode": "best", "recipe": "default", "input_bytes": 13161000,
             "output_bytes": 1070000, "ratio": 12.3, "weights_ratio": 13.1,
             "relative_error": 0.093, "bits_per_weight": 4.06, "seconds": 200.3, "threads": 2,
             "instruction_set": "avx2", "estimated": false, "tensors": []}
            """
        var report = try JSONDecoder().decode(CompressionReport.self, from: Data(json.utf8))
        report.tensors = tensors
        return report
    }

    fileprivate static func tensor(
        _ name: String, error: Double?, alphabet: String = "4x4",
        symbols: [Int] = [Int](repeating: 5, count: 16)
    ) throws -> CompressionReport.Tensor {
        let json = """
            {"name": "", "kind": "conv", "shape": [64, 32, 3, 3], "dtype": "F32",
             "compressed": true, "reason": "best", "density": 1, "row_density": 1,
             "group_density": 1, "nibbles_per_row": 1, "basis_width": 1, "filters_per_basis": 32,
             "bits_per_weight": 4.06, "bytes_before": 73728, "bytes_after": 9354}
            """
        var tensor = try decode(json)
        tensor.name = name
        tensor.relative_error = error
        tensor.alphabet = alphabet
        tensor.symbol_counts = symbols
        return tensor
    }

    fileprivate static func keptTensors(_ count: Int) throws -> [CompressionReport.Tensor] {
        try (0..<count).map { index in
            try decode(
                """
                {"name": "layers.\(index).bias", "kind": "vector", "shape": [64], "dtype": "F32",
                 "compressed": false, "reason": "bias or statistics", "bits_per_weight": 32,
                 "bytes_before": 256, "bytes_after": 256}
                """)
        }
    }

    private static func decode(_ json: String) throws -> CompressionReport.Tensor {
        try JSONDecoder().decode(CompressionReport.Tensor.self, from: Data(json.utf8))
    }

    /// Circles in the chart; those of the legend have no `<title>`.
    fileprivate static func points(in page: String) -> Int {
        page.components(separatedBy: "<circle class=\"point").dropFirst()
            .count { $0.prefix { $0 != "/" && $0 != "\n" }.contains("<title>") }
    }

    /// The page is XML, and every number in its drawings is one.
    static func expectWellFormed(_ page: String) throws {
        let reader = DrawingReader()
        let parser = XMLParser(data: Data(page.utf8))
        parser.delegate = reader
        let parsed = parser.parse()
        #expect(parsed, "line \(parser.lineNumber): \(String(describing: parser.parserError))")
        #expect(reader.badNumbers.isEmpty, "\(reader.badNumbers.prefix(5))")
        #expect(Set(reader.ids).count == reader.ids.count)
        #expect(
            reader.links.allSatisfy {
                $0.hasPrefix("#") && reader.ids.contains("\($0.dropFirst())")
            })
    }

    static func expectSelfContained(_ page: String) {
        let own = page.replacingOccurrences(of: "xmlns=\"http://www.w3.org/2000/svg\"", with: "")
            .replacingOccurrences(of: "xmlns=\"http://www.w3.org/1999/xhtml\"", with: "")
        for sign in ["http:", "https:", "<script", "<link", "<img", "url(http", "@import", "src="] {
            #expect(!own.contains(sign), "\(sign)")
        }
    }
}

/// Collects what must hold of drawings and links.
private final class DrawingReader: NSObject, XMLParserDelegate {
    var badNumbers: [String] = []
    var ids: [String] = []
    var links: [String] = []

    private static let lengths = ["x", "y", "cx", "cy", "r", "width", "height"]

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
        qualifiedName: String?, attributes: [String: String] = [:]
    ) {
        for name in Self.lengths {
            guard let value = attributes[name] else { continue }
            if Double(value)?.isFinite != true { badNumbers.append("\(element) \(name)=\(value)") }
        }
        if element == "circle", let text = attributes["cy"], let y = Double(text), y < 0 || y > 386
        {
            // Nodes of the reference line may lie outside, behind the clip.
            if attributes["class"] != "node" { badNumbers.append("\(element) cy=\(text)") }
        }
        if let id = attributes["id"] { ids.append(id) }
        if let link = attributes["href"] { links.append(link) }
    }
}

extension String {
    /// What is between the first `start` and the next `end`.
    fileprivate func firstRange(between start: String, and end: String) -> String? {
        guard let first = range(of: start),
            let last = range(of: end, range: first.upperBound..<endIndex)
        else { return nil }
        return String(self[first.upperBound..<last.lowerBound])
    }
}
