/// Why a check or a policy could not even be looked at. A check that is refused is no error.
package struct LimitsError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// A policy's numbers are outside what they may be.
        case invalidPolicy = "invalid_policy"
        /// No policy of that name.
        case unknownPolicy = "unknown_policy"
        /// The subject is empty or longer than `LimitKey.subjectBytesMax`.
        case invalidSubject = "invalid_subject"
        /// The quantity is not at least 1.
        case invalidQuantity = "invalid_quantity"
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
