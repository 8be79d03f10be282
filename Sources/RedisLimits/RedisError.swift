/// Why Redis gave no decision. Nothing here says anything of a client.
package struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// Nobody answers at its address, or not in TLS that we trust.
        case away
        /// It did not answer in time.
        case late
        /// Others wait already for an answer that is late, or too many wait for theirs: asking would only cost time.
        case busy
        /// The connection broke before it had answered.
        case broken
        /// It answered with an error of its own: a wrong password, a replica that takes no writes, no memory left.
        case refused
        /// It answered something that is no answer to what was asked.
        case unusable
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "redis \(code.rawValue): \(detail)" }
}
