/// The configuration cannot be used: every reason found, each with its place where it has one.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package let problems: [String]

    package init(_ problems: [String]) { self.problems = problems }

    package var description: String {
        "the configuration cannot be used:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    }
}
