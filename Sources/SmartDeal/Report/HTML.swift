/// A piece of a page. Text that is interpolated into it is escaped, so that no name in a file can
/// become markup.
///
/// The page is XML as well as HTML: attributes in double quotes, every element closed.
package struct HTML: ExpressibleByStringInterpolation, Sendable {
    /// The markup.
    package private(set) var source: String

    package init(stringLiteral value: String) { source = value }

    package init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var source = ""

        package init(literalCapacity: Int, interpolationCount: Int) {
            source.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { source += literal }

        /// Text, escaped.
        package mutating func appendInterpolation(_ text: String) { source += text.htmlEscaped }

        package mutating func appendInterpolation(_ number: Int) { source += String(number) }

        /// A length or a position in a drawing, to a tenth.
        package mutating func appendInterpolation(_ length: Double) {
            source += HumanNumber.fixed(length, decimals: 1)
        }

        package mutating func appendInterpolation(_ html: HTML) { source += html.source }

        /// What there is of pieces, a line each.
        package mutating func appendInterpolation(_ pieces: [HTML?]) {
            source += pieces.compactMap { $0?.source }.joined(separator: "\n")
        }
    }
}

extension HTML {
    /// A name from a file: shortened in the middle when it is very long, whole in the tooltip, and
    /// kept from turning the text around it (`bdi`).
    static func name(_ name: String) -> HTML {
        let short = name.shortened
        guard short != name else { return "<bdi>\(name)</bdi>" }
        return #"<bdi title="\#(name)">\#(short)</bdi>"#
    }
}
